import { createHash } from 'node:crypto';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import S3rver from 's3rver';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './cli.ts';

export interface S3Request {
  readonly method: string;
  /** With the bucket, without the query. */
  readonly path: string;
  readonly query: string;
  readonly body: Buffer;
}

/** What goes wrong with a request; undefined: nothing. */
export type Fault =
  | 'reset'
  | 'hang'
  | { readonly status: number; readonly code: string; readonly headers?: Record<string, string> }
  | { readonly body: Buffer }
  | { readonly answer: Record<string, string> }
  | { readonly bytesPerSecond: number };

export const secretKey = 'S3RVER-secret-Zr9';

/**
 * An S3 server over HTTP (s3rver, which believes whatever it is told) behind a proxy that can be faulty. With
 * `checks` the proxy does what Amazon does beyond it: it refuses bodies of another checksum and objects that are there,
 * and tells checksums.
 */
export async function startS3({ checks = false } = {}) {
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: await temporaryDirectory(),
    allowMismatchedSignatures: true,
    configureBuckets: [{ name: 'bucket', configs: [] }],
  });
  const { port: upstream } = await server.run();
  const requests: S3Request[] = [];
  const checksums = new Map<string, string>();
  const faulty: { fault: (request: S3Request) => Fault | undefined } = { fault: () => undefined };
  const proxy = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  onTestFinished(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
    await server.close();
  });

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (incoming.url ?? '').split('?');
    const { method = '' } = incoming;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const asked = { method, path: decodeURIComponent(path), query, body: Buffer.concat(chunks) };
    requests.push(asked);
    const fault = faulty.fault(asked);
    if (fault === 'hang') return;
    if (fault === 'reset') return void incoming.socket.destroy();
    if (fault !== undefined && 'status' in fault) {
      refuse(outgoing, fault);
      return;
    }
    const { headers } = incoming;
    const sent = headers['x-amz-checksum-sha256'];
    const isPut = method === 'PUT' && !query.includes('partNumber');
    if (checks && isPut) {
      const found = createHash('sha256').update(asked.body).digest('base64');
      if (sent !== found) {
        refuse(outgoing, { status: 400, code: 'BadDigest' });
        return;
      }
      if (headers['if-none-match'] === '*' && checksums.has(path)) {
        refuse(outgoing, { status: 412, code: 'PreconditionFailed' });
        return;
      }
    }
    const body = fault !== undefined && 'body' in fault ? fault.body : asked.body;
    const passed = { ...headers, 'content-length': String(body.length) };
    const { status, head, content } = await forward(upstream, incoming, passed, body);
    if (isPut && status === 200 && typeof sent === 'string') checksums.set(path, sent);
    if (method === 'DELETE') checksums.delete(path);
    const checksum = checks && method === 'HEAD' ? checksums.get(path) : undefined;
    const told = fault !== undefined && 'answer' in fault ? fault.answer : {};
    outgoing.writeHead(status, {
      ...head,
      ...(checksum === undefined ? {} : { 'x-amz-checksum-sha256': checksum }),
      ...told,
    });
    if (fault !== undefined && 'bytesPerSecond' in fault) {
      const size = Math.ceil(fault.bytesPerSecond / 10);
      for (let at = 0; at < content.length; at += size) {
        outgoing.write(content.subarray(at, at + size));
        await sleep(100);
      }
    } else outgoing.write(content);
    outgoing.end();
  }

  const endpoint = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: secretKey };
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${upstream}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials,
  });
  const Bucket = 'bucket';
  return {
    requests,
    faulty,
    env: {
      OFFSITE_URL: 's3://bucket/prefix',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretKey,
      AWS_ENDPOINT_URL: endpoint,
    },
    /** The names under the prefix, without the page about recovery. */
    async names(): Promise<string[]> {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      const names = Contents.map(({ Key = '' }) => Key.replace('prefix/', ''));
      return names.filter((name) => name !== 'RECOVERY.md').sort();
    },
    async get(name: string): Promise<Buffer> {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: `prefix/${name}` }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    async put(name: string, body: Buffer): Promise<void> {
      await client.send(new PutObjectCommand({ Bucket, Key: `prefix/${name}`, Body: body }));
      checksums.set(`/bucket/prefix/${name}`, createHash('sha256').update(body).digest('base64'));
    },
    async remove(name: string): Promise<void> {
      await client.send(new DeleteObjectCommand({ Bucket, Key: `prefix/${name}` }));
      checksums.delete(`/bucket/prefix/${name}`);
    },
  };
}

function refuse(
  outgoing: ServerResponse,
  { status, code, headers }: { status: number; code: string; headers?: Record<string, string> },
): void {
  outgoing.writeHead(status, { 'content-type': 'application/xml', ...headers });
  outgoing.end(`<Error><Code>${code}</Code><Message>no ${secretKey}</Message></Error>`);
}

async function forward(
  port: number,
  { method, url }: IncomingMessage,
  headers: IncomingMessage['headers'],
  body: Buffer,
) {
  return new Promise<{ status: number; head: IncomingMessage['headers']; content: Buffer }>(
    (resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port, method, path: url, headers },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              head: answer.headers,
              content: Buffer.concat(chunks),
            }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    },
  );
}
