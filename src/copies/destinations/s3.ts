import { Readable } from 'node:stream';
import {
  NotTheSame,
  type Destination,
  type SourceFile,
  type Stored,
  type StoredFile,
} from '../destination.ts';
import { S3Connection, type S3ConnectionOptions } from './s3-connection.ts';
import { s3Failure, statusOf } from './s3-failure.ts';
import { base64, compositeOf, partsOf } from './s3-parts.ts';
import { sendParts, sendWhole, type ObjectName } from './s3-upload.ts';

/** Loaded when it is needed: it is larger than everything else together. */
const loadSdk = () => import('@aws-sdk/client-s3');

/** More is stored in parts (the limit is 5 GiB). */
const maxSinglePutBytes = 5_000_000_000;

export interface S3Options extends S3ConnectionOptions {
  readonly maxSinglePutBytes?: number;
  readonly partBytes?: number;
}

/** A prefix of a bucket, at Amazon or whoever speaks its protocol. */
export class S3Destination implements Destination {
  readonly url: string;
  readonly #options: S3Options;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #connection: S3Connection;

  constructor(options: S3Options) {
    const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)\/*(.*?)\/*$/.exec(options.url) ?? [];
    this.url = options.url;
    this.#options = options;
    this.#connection = new S3Connection(options);
    this.#bucket = bucket;
    this.#prefix = path === '' ? '' : `${path}/`;
  }

  async list(): Promise<StoredFile[]> {
    const { ListObjectsV2Command } = await loadSdk();
    const files: StoredFile[] = [];
    let token: string | undefined;
    do {
      const page = await this.#connection.send((client, options) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix,
            Delimiter: '/',
            ...(token !== undefined && { ContinuationToken: token }),
          }),
          options,
        ),
      );
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        files.push({ name: Key.slice(this.#prefix.length), bytes: Size });
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return files;
  }

  async put(file: SourceFile): Promise<Stored> {
    const { bytes, name } = file;
    const isLarge = bytes > (this.#options.maxSinglePutBytes ?? maxSinglePutBytes);
    const parts = isLarge ? await partsOf(file, this.#options.partBytes) : [];
    const found = await this.#head(name);
    if (found === undefined) {
      const object = this.#object(name);
      await (isLarge
        ? sendParts(this.#connection, object, file, parts)
        : sendWhole(this.#connection, object, file));
    }
    const stored = found ?? (await this.#head(name));
    const wanted = isLarge ? compositeOf(parts) : base64(file.sha256);
    const { ContentLength, ChecksumSHA256: checksum = wanted } = stored ?? {};
    if (ContentLength === bytes && checksum === wanted) {
      return { isConfirmed: stored?.ChecksumSHA256 !== undefined, isNew: found === undefined };
    }
    if (found === undefined) await this.remove(name);
    throw new NotTheSame(this.url, name);
  }

  async *open(name: string): AsyncGenerator<Buffer> {
    const { GetObjectCommand } = await loadSdk();
    const { Body } = await this.#connection.send((client, options) =>
      client.send(new GetObjectCommand(this.#object(name)), options),
    );
    try {
      yield* (Body ?? Readable.from([])) as AsyncIterable<Buffer>;
    } catch (error) {
      this.#options.signal.throwIfAborted();
      throw s3Failure(error, this.url);
    }
  }

  async remove(name: string): Promise<void> {
    const { DeleteObjectCommand } = await loadSdk();
    await this.#connection.send((client, options) =>
      client.send(new DeleteObjectCommand(this.#object(name)), options),
    );
  }

  /** What is there under a name; undefined where nothing is. */
  async #head(name: string) {
    const { HeadObjectCommand } = await loadSdk();
    try {
      return await this.#connection.send((client, options) =>
        client.send(
          new HeadObjectCommand({ ...this.#object(name), ChecksumMode: 'ENABLED' }),
          options,
        ),
      );
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  #object(name: string): ObjectName {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${name}` };
  }
}
