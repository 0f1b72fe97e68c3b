import { spawnSync } from 'node:child_process';

/** Runs the real openssl; `text` is all that it printed. */
export function openssl(args: readonly string[], input = ''): { readonly ok: boolean; readonly text: string } {
  const { status, stdout, stderr, error } = spawnSync('openssl', args, {
    input,
    encoding: 'utf8',
    timeout: 20_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  return { ok: status === 0, text: stdout + stderr };
}

/** `openssl x509 -text` of a certificate, with runs of white space made one space. */
export function certificateText(pem: string): string {
  return openssl(['x509', '-noout', '-text'], pem).text.replace(/\s+/g, ' ');
}
