#!/usr/bin/env node
'use strict';
// libuv reads this when its first thread starts, which loading an ES module does. Compression needs
// a thread for each core, and files need some, too.
const { availableParallelism } = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));
import('../dist/main.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write('error: not installed yet; hint: run `npm ci` in the project\n');
  process.exitCode = 1;
});
