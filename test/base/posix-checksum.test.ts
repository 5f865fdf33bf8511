import { execa } from 'execa';
import { expect, test } from 'vitest';
import { PosixChecksum } from '../../src/base/posix-checksum.ts';

test.each([0, 1, 2, 255, 256, 65_535, 65_536, 1_000_003])(
  'of %d bytes it is what cksum prints, however they are cut',
  async (length) => {
    const bytes = Buffer.from(
      Array.from({ length }, (_, index) => (index * 7919 + (index >> 8)) % 256),
    );
    const { stdout } = await execa('cksum', { input: bytes });
    for (const size of [length || 1, 1 + (length >> 2)]) {
      const checksum = new PosixChecksum();
      for (let start = 0; start < length; start += size) {
        checksum.update(bytes.subarray(start, start + size));
      }
      expect(checksum.text).toBe(stdout);
    }
  },
);
