import { Failure, systemErrorCode } from '../../base/errors.ts';
import { Denied, Transient } from '../destination.ts';

interface ServiceError {
  readonly name: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** The status of HTTP with which a server refused something. */
export const statusOf = (error: unknown): number | undefined =>
  causeOf(error)?.$metadata?.httpStatusCode;

/** Where the bucket is, if that is what a server tells by refusing something. */
export function regionOf(error: unknown): string | undefined {
  const cause = causeOf(error);
  const status = cause?.$metadata?.httpStatusCode ?? 0;
  return [301, 307, 400].includes(status)
    ? cause?.$response?.headers?.['x-amz-bucket-region']
    : undefined;
}

const causeOf = (error: unknown): ServiceError | undefined => {
  const cause = error instanceof Failure ? error.cause : error;
  return cause instanceof Error ? cause : undefined;
};

const noCredentials = /^(?:CredentialsProviderError|TokenProviderError)$/;
const badCredentials =
  /^(?:AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|Forbidden|AllAccessDisabled)/;

/**
 * What a failure of the SDK means for people. Its own messages are not repeated: some quote what was sent.
 * @param region of the bucket, where that was another one: it is worth another attempt.
 */
export function s3Failure(error: unknown, url: string, region?: string): Failure {
  if (error instanceof Failure) return error;
  const { name, $metadata } = error instanceof Error ? (error as ServiceError) : { name: 'error' };
  const status = $metadata?.httpStatusCode;
  const what = status === undefined ? (systemErrorCode(error) ?? name) : `${status} ${name}`;
  const failed = (clause: string, hint: string) =>
    new Failure('cannotConnect', `${url}: ${clause}`, { hint, cause: error });
  if (region !== undefined) return new Transient(`${url}: the bucket is in ${region}`, error);
  if (noCredentials.test(name)) {
    return failed(
      'there are no credentials',
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in .env or the environment',
    );
  }
  if (error instanceof Error && error.message.startsWith('Region is missing')) {
    return failed('its region is not known', 'set AWS_REGION');
  }
  if (what === 'ERR_INVALID_URL') return failed('AWS_ENDPOINT_URL is no URL', 'correct it');
  if (name === 'NoSuchBucket') {
    return failed('there is no such bucket', 'create it, or correct OFFSITE_URL');
  }
  if (status === 401 || status === 403 || badCredentials.test(name)) {
    return new Denied('cannotConnect', `${url}: the server refuses it (${what})`, {
      hint: 'check the credentials (AWS_…), and what they may do: list, read, write and delete under the prefix',
      cause: error,
    });
  }
  // What was not there a moment ago is there now: the next attempt looks at it.
  const isRace = status === 409 || status === 412;
  if (
    status === undefined ||
    (status >= 500 && status !== 501) ||
    isRace ||
    status === 408 ||
    status === 429
  ) {
    return new Transient(`${url}: ${status === undefined ? `no answer (${what})` : what}`, error);
  }
  return failed(
    `the server answered ${what}`,
    'check OFFSITE_URL, AWS_ENDPOINT_URL and AWS_REGION',
  );
}
