import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../../src/restore/load/heap.ts';

test('the lowest comes first, whatever the order in which entries came', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (ranks) => {
      const heap = new Heap<number>();
      for (const rank of ranks) heap.add(rank, rank);
      const taken = ranks.map(() => heap.take());
      expect(taken).toEqual([...ranks].sort((a, b) => a - b));
      expect(heap.take()).toBeUndefined();
    }),
  );
});
