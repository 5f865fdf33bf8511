import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });

/** Certificates in a directory, each as NAME.crt and NAME.key. */
export class Authority {
  readonly #directory: string;
  readonly #name: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30'],
      ...['-subj', `/CN=${name}`, '-keyout', this.path(`${name}.key`), '-out', this.certificate],
    );
  }

  get certificate(): string {
    return this.path(`${this.#name}.crt`);
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  /**
   * @param subject of the certificate: who it is for.
   * @param names hosts for which it is good.
   */
  issue(name: string, subject: string, names: readonly string[], isExpired = false): void {
    const [request, extensions] = [this.path(`${name}.csr`), this.path(`${name}.ext`)];
    openssl(
      ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${subject}`],
      ...['-keyout', this.path(`${name}.key`), '-out', request],
    );
    writeFileSync(extensions, names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
    const days = isExpired ? ['-days', '-1'] : ['-days', '30'];
    openssl(
      ...['x509', '-req', '-in', request, '-CA', this.certificate],
      ...['-CAkey', this.path(`${this.#name}.key`), '-CAcreateserial', ...days],
      ...['-extfile', extensions, '-out', this.path(`${name}.crt`)],
    );
    chmodSync(this.path(`${name}.key`), 0o600);
  }

  /** Gives a key to the user who runs a server. */
  give(name: string, uid: number, gid: number): void {
    chownSync(this.path(`${name}.key`), uid, gid);
  }
}
