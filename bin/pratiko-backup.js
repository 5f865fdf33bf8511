#!/usr/bin/env node
'use strict';
// libuv reads this when its first thread starts, which loading an ES module does. Compression needs
// a thread for each core, and files need some, too.
const { availableParallelism } = require('node:os');
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));
import('../dist/main.js');
