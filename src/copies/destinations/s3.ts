import { Readable } from 'node:stream';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import {
  NotTheSame,
  type Destination,
  type SourceFile,
  type Stored,
  type StoredFile,
} from '../destination.ts';
import { connect } from './s3-client.ts';
import { regionOf, s3Failure, statusOf } from './s3-failure.ts';
import { base64, compositeOf, partsOf, type Part } from './s3-parts.ts';

/** Loaded when it is needed: it is larger than everything else together. */
const loadSdk = () => import('@aws-sdk/client-s3');

/** More is stored in parts (the limit is 5 GiB). */
const maxSinglePutBytes = 5_000_000_000;

export interface S3Options {
  /** `s3://bucket/prefix` */
  readonly url: string;
  /** AWS_REGION, AWS_ENDPOINT_URL; the SDK finds its other variables by itself. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly maxSinglePutBytes?: number;
  readonly partBytes?: number;
}

interface Options {
  readonly abortSignal: AbortSignal;
}

/** A prefix of a bucket, at Amazon or whoever speaks its protocol. */
export class S3Destination implements Destination {
  readonly url: string;
  readonly #options: S3Options;
  readonly #bucket: string;
  readonly #prefix: string;
  #connected: Promise<S3Client> | undefined;

  constructor(options: S3Options) {
    const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)\/*(.*?)\/*$/.exec(options.url) ?? [];
    this.url = options.url;
    this.#options = options;
    this.#bucket = bucket;
    this.#prefix = path === '' ? '' : `${path}/`;
  }

  async list(): Promise<StoredFile[]> {
    const { ListObjectsV2Command } = await loadSdk();
    const files: StoredFile[] = [];
    let token: string | undefined;
    do {
      const page = await this.#send((client, options) =>
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
    if (found === undefined) await (isLarge ? this.#sendParts(file, parts) : this.#sendWhole(file));
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
    const { Body } = await this.#send((client, options) =>
      client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: this.#key(name) }), options),
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
    await this.#send((client, options) =>
      client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#key(name) }), options),
    );
  }

  /** What is there under a name; undefined where nothing is. */
  async #head(name: string) {
    const { HeadObjectCommand } = await loadSdk();
    try {
      return await this.#send((client, options) =>
        client.send(
          new HeadObjectCommand({
            Bucket: this.#bucket,
            Key: this.#key(name),
            ChecksumMode: 'ENABLED',
          }),
          options,
        ),
      );
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async #sendWhole({ name, bytes, sha256, read }: SourceFile): Promise<void> {
    const { PutObjectCommand } = await loadSdk();
    // Each server that knows one of the two refuses other bytes; some ask for the algorithm, too.
    const input = {
      Bucket: this.#bucket,
      Key: this.#key(name),
      ContentLength: bytes,
      ChecksumSHA256: base64(sha256),
      ChecksumAlgorithm: 'SHA256',
    } as const;
    const send = (condition: { readonly IfNoneMatch?: '*' }) =>
      this.#sendBody(read(), (client, Body, options) =>
        client.send(new PutObjectCommand({ ...input, ...condition, Body }), options),
      );
    await send({ IfNoneMatch: '*' }).catch(async (error: unknown) => {
      if (statusOf(error) !== 501) throw error;
      await send({}); // it knows no conditions; it was looked just before
    });
  }

  async #sendParts({ name, read }: SourceFile, parts: readonly Part[]): Promise<void> {
    const sdk = await loadSdk();
    const object = { Bucket: this.#bucket, Key: this.#key(name) };
    const { UploadId } = await this.#send((client, options) =>
      client.send(
        new sdk.CreateMultipartUploadCommand({
          ...object,
          ChecksumAlgorithm: 'SHA256',
          ChecksumType: 'COMPOSITE',
        }),
        options,
      ),
    );
    try {
      const sent: CompletedPart[] = [];
      for (const [index, { from, to, sha256 }] of parts.entries()) {
        const part = { PartNumber: index + 1, ChecksumSHA256: base64(sha256) };
        const input = { ...object, ...part, UploadId, ContentLength: to - from } as const;
        const { ETag } = await this.#sendBody(read(from, to), (client, Body, options) =>
          client.send(
            new sdk.UploadPartCommand({ ...input, ChecksumAlgorithm: 'SHA256', Body }),
            options,
          ),
        );
        sent.push({ ...part, ETag });
      }
      await this.#send((client, options) =>
        client.send(
          new sdk.CompleteMultipartUploadCommand({
            ...object,
            UploadId,
            MultipartUpload: { Parts: sent },
            IfNoneMatch: '*',
          }),
          options,
        ),
      );
    } catch (error) {
      // What was begun costs its owner money until it is given up, also when we are interrupted.
      const client = await this.#client();
      await client
        .send(new sdk.AbortMultipartUploadCommand({ ...object, UploadId }))
        .catch(() => undefined);
      throw error;
    }
  }

  #key(name: string): string {
    return `${this.#prefix}${name}`;
  }

  async #send<Output>(
    ask: (client: S3Client, options: Options) => Promise<Output>,
  ): Promise<Output> {
    const { signal } = this.#options;
    try {
      return await ask(await this.#client(), { abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      const region = regionOf(error);
      if (region !== undefined) this.#connected = connect(this.#options.environment, region);
      throw s3Failure(error, this.url, region);
    }
  }

  /** Sends what a file gives. An error of the file ends it: the SDK would wait for the rest. */
  async #sendBody<Output>(
    chunks: AsyncIterable<Buffer>,
    ask: (client: S3Client, body: Readable, options: Options) => Promise<Output>,
  ): Promise<Output> {
    const body = Readable.from(chunks);
    const broken = new AbortController();
    const ofFile = new Promise<never>((_, reject) => {
      body.once('error', (error) => {
        broken.abort();
        reject(error);
      });
    });
    try {
      const abortSignal = AbortSignal.any([this.#options.signal, broken.signal]);
      const sent = this.#send((client) => ask(client, body, { abortSignal }));
      return await Promise.race([sent, ofFile]);
    } finally {
      ofFile.catch(() => undefined);
      body.destroy();
    }
  }

  #client(): Promise<S3Client> {
    this.#connected ??= connect(this.#options.environment);
    return this.#connected;
  }
}
