// The first version of the application: everybody gets the same greeting every second.
// Its timers outlive the clients, as in the original habit.
const express = require('express');
const path = require('path');

const app = express();
const pace = Number(process.env.PACE_MS || 1000);

app.use(express.static(path.join(__dirname, 'sources/client')));

app.get('/api/users/event', (req, res) => {
  res.setHeader('Content-Type', 'text/event-stream');
  res.setHeader('Cache-Control', 'no-cache');
  res.setHeader('Connection', 'keep-alive');

  setInterval(() => {
    res.write('event: update\ndata: Hello, world!\n\n');
  }, pace);
});

app.listen(process.env.PORT || 8000, process.env.HOST || '0.0.0.0');
