// Loaded before the applications: one line of JSON when a request starts and one when it ends.
// The applications themselves stay as legacy sites have them.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');

const file = process.env.ORIGIN_LOG;
const write = (line) => fs.appendFileSync(file, JSON.stringify(line) + '\n');
const emit = http.Server.prototype.emit;

http.Server.prototype.emit = function (name, request, response) {
  if (name === 'request' && file) {
    const id = crypto.randomUUID();
    const { method, url: uri, headers } = request;
    write({ at: 'start', id, pid: process.pid, method, uri, headers });
    response.on('close', () => write({ at: 'end', id }));
  }
  return emit.apply(this, arguments);
};
