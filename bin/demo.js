#!/usr/bin/env node
'use strict';
import('../dist/demo/main.js');
