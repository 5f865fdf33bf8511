import { randomBytes } from 'node:crypto';
import { Decrypter, Encrypter } from 'age-encryption';
import { describe, expect, test } from 'vitest';
import { decryptWithAge, encryptWithAge } from '../../src/encryption/age.ts';
import { Locked } from '../../src/encryption/locked.ts';
import { Defect } from '../../src/base/errors.ts';
import { ageKeys, postQuantum } from '../support/keys.ts';

const chunk = 64 * 1024;
const sealed = chunk + 16;

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

async function all(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const read: Buffer[] = [];
  for await (const each of chunks) read.push(each);
  return Buffer.concat(read);
}

describe.each([
  ['X25519', undefined],
  ['post-quantum', postQuantum],
])('a key of kind %s', (_, generate) => {
  test.each([0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 300_001])(
    '%i bytes are read by the library, and its files by us',
    async (size) => {
      const { identity, recipient } = await ageKeys(generate);
      const plain = randomBytes(size);

      const ours = await all(encryptWithAge(inPieces(plain, 10_000), [recipient]));
      const decrypter = new Decrypter();
      decrypter.addIdentity(identity);
      expect(plain.equals(await decrypter.decrypt(ours))).toBe(true);

      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      const theirs = Buffer.from(await encrypter.encrypt(plain));
      for (const piece of [7, 65_536, 1_000_000]) {
        const read = await all(decryptWithAge(inPieces(theirs, piece), [identity]));
        expect(read.equals(plain)).toBe(true);
      }
    },
  );
});

/** A file of three whole chunks and a part of one. */
async function encrypted() {
  const { identity, recipient } = await ageKeys();
  const plain = randomBytes(3 * chunk + 1000);
  const file = await all(encryptWithAge(inPieces(plain, 50_000), [recipient]));
  const header = file.indexOf('\n--- ') + 5 + 43 + 1;
  const payload = header + 16;
  return { identity, plain, file, header, payload };
}

const swapped = (file: Buffer, payload: number) =>
  Buffer.concat([
    file.subarray(0, payload),
    file.subarray(payload + sealed, payload + 2 * sealed),
    file.subarray(payload, payload + sealed),
    file.subarray(payload + 2 * sealed),
  ]);

test('what is not as it was encrypted is found, wherever it is, and nothing false is given', async () => {
  const { identity, plain, file, header, payload } = await encrypted();
  const flipped = (at: number) => {
    const bytes = Buffer.from(file);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
  const cuts = [0, 10, header - 1, header, header + 5, payload, payload + 1];
  const ends = [1, 2, 3].map((count) => payload + count * sealed);
  const bad = [
    ...[...cuts, ...ends, file.length - 1].map((at) => file.subarray(0, at)),
    ...[header - 3, header + 3, payload, payload + sealed - 1, file.length - 1].map(flipped),
    Buffer.concat([file, Buffer.from([0])]),
    Buffer.concat([file, file]),
    swapped(file, payload),
  ];
  for (const bytes of bad) {
    let given = 0;
    const read = async () => {
      for await (const part of decryptWithAge(inPieces(bytes, 40_000), [identity])) {
        expect(part.equals(plain.subarray(given, given + part.length))).toBe(true);
        given += part.length;
      }
    };
    await expect(read()).rejects.toThrow(Defect);
  }
});

test('a header without end is not read for ever', async () => {
  const { identity } = await ageKeys();
  let given = 0;
  const endless = async function* () {
    yield await Promise.resolve(Buffer.from('age-encryption.org/v1\n'));
    for (; given < 50; given += 1) yield Buffer.alloc(1024 * 1024, 'x');
  };
  await expect(all(decryptWithAge(endless(), [identity]))).rejects.toThrow(Defect);
  expect(given).toBeLessThan(5);
});

test('another key is told as such', async () => {
  const { file } = await encrypted();
  const { identity } = await ageKeys();
  await expect(all(decryptWithAge(inPieces(file, 1000), [identity]))).rejects.toThrow(Locked);
});

test('an error of the source stays what it is', async () => {
  const { identity, recipient } = await ageKeys();
  const broken = async function* (): AsyncGenerator<Buffer> {
    yield await Promise.resolve(randomBytes(100_000));
    throw new RangeError('of the disk');
  };
  await expect(all(encryptWithAge(broken(), [recipient]))).rejects.toThrow(RangeError);
  const { file } = await encrypted();
  const cut = async function* (): AsyncGenerator<Buffer> {
    yield* inPieces(file.subarray(0, 1000), 300);
    throw new RangeError('of the disk');
  };
  await expect(all(decryptWithAge(cut(), [identity]))).rejects.toThrow();
});
