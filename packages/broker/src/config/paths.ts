import { resolve } from 'node:path';
import { certificateFiles, isTls, type Listener, tlsFiles } from './listener-schema.js';
import type { Configuration } from './schema.js';

/**
 * Makes every path absolute: the data directory against `directory`, all others against the data directory.
 * @param directory where the file stands, absolute
 */
export function resolvePaths(configuration: Configuration, directory: string): Configuration {
  const { authentication, authorization, listeners } = configuration;
  const dataDir = resolve(directory, configuration.data_dir);
  return {
    ...configuration,
    data_dir: dataDir,
    listeners: listeners.map((listener) => resolveListener(listener, dataDir)),
    authentication: { ...authentication, password_file: resolve(dataDir, authentication.password_file) },
    authorization: {
      ...authorization,
      policy_file: resolve(dataDir, authorization.policy_file),
      ...(authorization.acl_file === undefined ? {} : { acl_file: resolve(dataDir, authorization.acl_file) }),
    },
  };
}

function resolveListener(listener: Listener, dataDir: string): Listener {
  if (!isTls(listener)) return listener;
  const more_certificates = listener.more_certificates.map((each) => resolveKeys(each, certificateFiles, dataDir));
  return { ...resolveKeys(listener, tlsFiles, dataDir), more_certificates };
}

/** The same, with the paths in these keys made absolute. */
function resolveKeys<Key extends string, T extends { readonly [key in Key]?: string | undefined }>(
  from: T,
  keys: readonly Key[],
  dataDir: string,
): T {
  const paths = keys.flatMap((key) => {
    const path = from[key];
    return path === undefined ? [] : [[key, resolve(dataDir, path)]];
  });
  return { ...from, ...Object.fromEntries(paths) };
}
