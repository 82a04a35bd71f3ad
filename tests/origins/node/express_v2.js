// The second version: an event only when somebody registers. The head comes with the first event,
// and listeners of clients that left are never removed.
const express = require('express');
const { EventEmitter } = require('events');
const path = require('path');

const app = express();
const registered = new EventEmitter();

app.use(express.json());
app.use(express.static(path.join(__dirname, 'sources/client')));

app.post('/api/users', (req, res) => {
  registered.emit('user', req.body);
  res.status(201).end();
});

app.get('/api/users/event', (req, res) => {
  res.setHeader('Content-Type', 'text/event-stream');
  res.setHeader('Cache-Control', 'no-cache');
  res.setHeader('Connection', 'keep-alive');

  registered.on('user', (user) => {
    res.write(`event: update\ndata: ${JSON.stringify(user)}\n\n`);
  });
});

app.listen(process.env.PORT || 8000, process.env.HOST || '0.0.0.0');
