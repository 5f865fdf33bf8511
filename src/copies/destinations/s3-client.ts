import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/**
 * A client for what the variables AWS_REGION and AWS_ENDPOINT_URL say; the SDK finds its other ones by itself.
 * @param region where a server has told that the bucket is.
 */
export async function connect(
  environment: Readonly<Record<string, string | undefined>>,
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
