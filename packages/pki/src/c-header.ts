/** What goes into the firmware of a microcontroller: texts of PEM. */
export interface CHeaderContent {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly caCertificate: string;
  readonly certificate: string;
  /** PEM, a secret. */
  readonly privateKey: string;
}

/**
 * A C header with everything that a device needs to connect, as ESP-IDF, Arduino, Zephyr and mbed TLS take it: PEM
 * with its closing zero, which `sizeof` counts in as mbed TLS wants.
 */
export function writeCHeader(content: CHeaderContent): string {
  return `/* Identity of the device ${comment(content.name)}. It holds a private key: keep it out of version control. */
#ifndef MOAT_DEVICE_H
#define MOAT_DEVICE_H

#define MOAT_HOST ${literal(content.host)}
#define MOAT_PORT ${content.port}
#define MOAT_CLIENT_ID ${literal(content.name)}

static const char moat_ca_crt[] =${lines(content.caCertificate)};

static const char moat_client_crt[] =${lines(content.certificate)};

static const char moat_client_key[] =${lines(content.privateKey)};

#endif
`;
}

function lines(pem: string): string {
  const all = pem.trimEnd().split('\n');
  return all.map((line) => `\n    ${literal(`${line}\n`)}`).join('');
}

/** Octal escapes have three digits at most, so no digit that follows can belong to one; ?? would be a trigraph. */
function literal(text: string): string {
  const escaped = [...Buffer.from(text)].map((octet) => {
    if (octet === 0x0a) return '\\n';
    const character = String.fromCharCode(octet);
    return octet >= 0x20 && octet < 0x7f && !'"\\?'.includes(character)
      ? character
      : `\\${octet.toString(8).padStart(3, '0')}`;
  });
  return `"${escaped.join('')}"`;
}

function comment(text: string): string {
  return text.replaceAll('*/', '* /');
}
