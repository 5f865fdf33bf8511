import { Readable } from 'node:stream';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { regionOf, s3Failure } from './s3-failure.ts';

export interface S3ConnectionOptions {
  /** `s3://bucket/prefix` */
  readonly url: string;
  /** AWS_REGION, AWS_ENDPOINT_URL; the SDK finds its other variables by itself. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

interface SendOptions {
  readonly abortSignal: AbortSignal;
}

/** What is asked of a server goes through it: interruptions, failures for people, the region of the bucket. */
export class S3Connection {
  readonly #options: S3ConnectionOptions;
  #connected: Promise<S3Client> | undefined;

  constructor(options: S3ConnectionOptions) {
    this.#options = options;
  }

  client(): Promise<S3Client> {
    this.#connected ??= connect(this.#options.environment);
    return this.#connected;
  }

  /** @throws Failure `cannotConnect`; `Transient` where another attempt may go well. */
  async send<Output>(
    ask: (client: S3Client, options: SendOptions) => Promise<Output>,
  ): Promise<Output> {
    const { signal, environment, url } = this.#options;
    try {
      return await ask(await this.client(), { abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      const region = regionOf(error);
      if (region !== undefined) this.#connected = connect(environment, region);
      throw s3Failure(error, url, region);
    }
  }

  /** Sends what a file gives. An error of the file ends it: the SDK would wait for the rest. */
  async sendBody<Output>(
    chunks: AsyncIterable<Buffer>,
    ask: (client: S3Client, body: Readable, options: SendOptions) => Promise<Output>,
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
      const sent = this.send((client) => ask(client, body, { abortSignal }));
      return await Promise.race([sent, ofFile]);
    } finally {
      ofFile.catch(() => undefined);
      body.destroy();
    }
  }
}

/** @param region where a server has told that the bucket is. */
async function connect(
  environment: S3ConnectionOptions['environment'],
  region?: string,
): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
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
