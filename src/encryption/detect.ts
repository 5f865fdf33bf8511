import type { Encryption } from '../base/encryption.ts';

/** How something is encrypted that begins like this; undefined where it is not, or not so. */
export function detectEncryption(head: Buffer): Encryption | undefined {
  const text = head.toString('latin1', 0, 64);
  if (text.startsWith('age-encryption.org/')) return 'age';
  return isGpgPacket(head) || text.startsWith('-----BEGIN PGP MESSAGE-----') ? 'gpg' : undefined;
}

/** The first packet of what gpg encrypts, to a public key or with a passphrase, and its version (RFC 9580, 4.2, 5.1, 5.3). */
function isGpgPacket(head: Buffer): boolean {
  const [tag = 0, length = 0] = head;
  const isKey = [0x84, 0x85, 0xc1].includes(tag);
  if (!isKey && ![0x8c, 0xc3].includes(tag)) return false;
  const isLong = tag === 0x85 || (tag === 0xc1 && length >= 0xc0);
  const version = head[isLong ? 3 : 2] ?? 0;
  return isKey ? version === 3 || version === 6 : version >= 4 && version <= 6;
}
