import { expect, test } from 'vitest';
import {
  conditionOf,
  stateOf,
  type Condition,
  type State,
} from '../../src/backup-directory/backup.ts';
import type { Manifest } from '../../src/backup-directory/manifest.ts';

const manifest = { fileBytes: 100 } as Manifest;

test.for<[number, Parameters<typeof conditionOf>[1], Condition, State]>([
  [100, manifest, 'verified', 'verified'],
  [99, manifest, 'otherSize', 'damaged'],
  [0, manifest, 'empty', 'damaged'],
  [0, undefined, 'empty', 'damaged'],
  [100, undefined, 'unverified', 'unverified'],
  [100, 'newer', 'byNewerVersion', 'unverified'],
  [100, 'unreadable', 'unreadableManifest', 'damaged'],
])('%d bytes with manifest %o: %s, %s', ([bytes, read, condition, state]) => {
  expect(conditionOf(bytes, read)).toBe(condition);
  expect(stateOf({ condition })).toBe(state);
});
