import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { CompletedPart, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { Checksum } from '../../streams/checksum.ts';
import {
  NotTheSame,
  type Destination,
  type SourceFile,
  type Stored,
  type StoredFile,
} from '../destination.ts';
import { regionOf, s3Failure, statusOf } from './s3-failure.ts';

/** Loaded when it is needed: it is larger than everything else together. */
const loadSdk = () => import('@aws-sdk/client-s3');

/** More is stored in parts (the limit is 5 GiB). */
const maxSinglePutBytes = 5_000_000_000;
const partBytes = 64 * 1024 * 1024;
const maxParts = 10_000;

export interface S3Options {
  /** `s3://bucket/prefix` */
  readonly url: string;
  /** AWS_REGION, AWS_ENDPOINT_URL; the SDK finds its other variables by itself. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly maxSinglePutBytes?: number;
  readonly partBytes?: number;
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
    const found = await this.#head(name);
    const wanted = isLarge ? await this.#putParts(file, found) : await this.#putWhole(file, found);
    const stored = found ?? (await this.#head(name));
    if (stored?.ContentLength !== bytes) throw new NotTheSame(this.url, name);
    if (stored.ChecksumSHA256 === undefined) return 'unconfirmed';
    if (stored.ChecksumSHA256 !== wanted) throw new NotTheSame(this.url, name);
    return 'confirmed';
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

  /** Stores a file, if nothing is there, and returns the checksum that it must have. */
  async #putWhole({ name, bytes, sha256, read }: SourceFile, found: unknown): Promise<string> {
    const checksum = Buffer.from(sha256, 'hex').toString('base64');
    if (found !== undefined) return checksum;
    const { PutObjectCommand } = await loadSdk();
    // Each server that knows one of the two refuses other bytes; some ask for the algorithm, too.
    const input = {
      Bucket: this.#bucket,
      Key: this.#key(name),
      ContentLength: bytes,
      ChecksumSHA256: checksum,
      ChecksumAlgorithm: 'SHA256',
      IfNoneMatch: '*',
    } as const;
    await this.#send((client, options) =>
      client.send(new PutObjectCommand({ ...input, Body: Readable.from(read()) }), options),
    );
    return checksum;
  }

  /** The same in parts: the checksum is that of the checksums of all parts, with their number. */
  async #putParts(file: SourceFile, found: unknown): Promise<string> {
    const size = Math.max(this.#options.partBytes ?? partBytes, Math.ceil(file.bytes / maxParts));
    const starts = Array.from({ length: Math.ceil(file.bytes / size) }, (_, index) => index * size);
    const end = (start: number) => Math.min(start + size, file.bytes);
    const checksums: Buffer[] = [];
    for (const start of starts) checksums.push(await checksumOf(file.read(start, end(start))));
    const all = createHash('sha256').update(Buffer.concat(checksums)).digest('base64');
    const wanted = `${all}-${checksums.length}`;
    if (found !== undefined) return wanted;
    const sdk = await loadSdk();
    const object = { Bucket: this.#bucket, Key: this.#key(file.name) };
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
      const parts: CompletedPart[] = [];
      for (const [index, start] of starts.entries()) {
        const ChecksumSHA256 = checksums[index]?.toString('base64') ?? '';
        const part = { PartNumber: index + 1, ChecksumSHA256 };
        const { ETag } = await this.#send((client, options) =>
          client.send(
            new sdk.UploadPartCommand({
              ...object,
              ...part,
              UploadId,
              ContentLength: end(start) - start,
              ChecksumAlgorithm: 'SHA256',
              Body: Readable.from(file.read(start, end(start))),
            }),
            options,
          ),
        );
        parts.push({ ...part, ETag });
      }
      await this.#send((client, options) =>
        client.send(
          new sdk.CompleteMultipartUploadCommand({
            ...object,
            UploadId,
            MultipartUpload: { Parts: parts },
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
    return wanted;
  }

  #key(name: string): string {
    return `${this.#prefix}${name}`;
  }

  async #send<Output>(
    ask: (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> {
    const { signal } = this.#options;
    try {
      return await ask(await this.#client(), { abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      const region = regionOf(error);
      if (region !== undefined) this.#connected = connect(this.#options, region);
      throw s3Failure(error, this.url, region);
    }
  }

  #client(): Promise<S3Client> {
    this.#connected ??= connect(this.#options);
    return this.#connected;
  }
}

async function connect({ environment }: S3Options, region?: string): Promise<S3Client> {
  const { S3Client } = await loadSdk();
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = environment;
  const endpoint = AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL;
  const known = region ?? (AWS_REGION || AWS_DEFAULT_REGION || (endpoint && 'us-east-1'));
  const config: S3ClientConfig = {
    // Our attempts are ours: a stream cannot be read twice.
    maxAttempts: 1,
    // What is sent has the checksum that we know; the default one is stored wrongly by some servers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
    forcePathStyle: Boolean(endpoint),
    // It writes to stderr by itself else.
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    ...(known ? { region: known } : {}),
  };
  return new S3Client(config);
}

const ignore = () => undefined;

async function checksumOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const checksum = new Checksum();
  for await (const _ of checksum.through(chunks));
  return Buffer.from(checksum.sha256(), 'hex');
}
