import type { CompletedPart } from '@aws-sdk/client-s3';
import type { SourceFile } from '../destination.ts';
import type { S3Connection } from './s3-connection.ts';
import { statusOf } from './s3-failure.ts';
import { base64, type Part } from './s3-parts.ts';

/** Where an object is. */
export interface ObjectName {
  readonly Bucket: string;
  readonly Key: string;
}

/** Sends a file as one object; one that is there is not replaced, where the server can tell. */
export async function sendWhole(
  connection: S3Connection,
  object: ObjectName,
  { bytes, sha256, read }: SourceFile,
): Promise<void> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  // Each server that knows one of the two refuses other bytes; some ask for the algorithm, too.
  const input = {
    ...object,
    ContentLength: bytes,
    ChecksumSHA256: base64(sha256),
    ChecksumAlgorithm: 'SHA256',
  } as const;
  const send = (condition: { readonly IfNoneMatch?: '*' }) =>
    connection.sendBody(read(), (client, Body, options) =>
      client.send(new PutObjectCommand({ ...input, ...condition, Body }), options),
    );
  await send({ IfNoneMatch: '*' }).catch(async (error: unknown) => {
    if (statusOf(error) !== 501) throw error;
    await send({}); // it knows no conditions; it was looked just before
  });
}

/** Sends a file in parts, which become one object at the end. */
export async function sendParts(
  connection: S3Connection,
  object: ObjectName,
  { read }: SourceFile,
  parts: readonly Part[],
): Promise<void> {
  const sdk = await import('@aws-sdk/client-s3');
  const { UploadId } = await connection.send((client, options) =>
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
      const { ETag } = await connection.sendBody(read(from, to), (client, Body, options) =>
        client.send(
          new sdk.UploadPartCommand({ ...input, ChecksumAlgorithm: 'SHA256', Body }),
          options,
        ),
      );
      sent.push({ ...part, ETag });
    }
    await connection.send((client, options) =>
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
    const client = await connection.client();
    await client
      .send(new sdk.AbortMultipartUploadCommand({ ...object, UploadId }))
      .catch(() => undefined);
    throw error;
  }
}
