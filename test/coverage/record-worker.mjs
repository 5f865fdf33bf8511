import { afterAll } from 'vitest';
import { record } from './record.mjs';

afterAll(() => record('coverage/counted'));
