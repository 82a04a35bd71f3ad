// Plain Node, no framework: a JSON event every five seconds, the first after five seconds.
const http = require('http');

const pace = Number(process.env.PACE_MS || 5000);

http.createServer((req, res) => {
  if (req.url.split('?')[0] !== '/events') {
    res.writeHead(404).end();
    return;
  }
  res.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    'Connection': 'keep-alive',
  });
  const timer = setInterval(() => {
    res.write(`data: ${JSON.stringify({ time: new Date().toISOString() })}\n\n`);
  }, pace);
  req.on('close', () => clearInterval(timer));
}).listen(process.env.PORT || 3000, process.env.HOST || '0.0.0.0');
