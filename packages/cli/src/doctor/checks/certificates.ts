import { X509Certificate } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { type Configuration, loadListenerTls, readAuthorities, readRevocationLists } from '@moat/broker';
import type { Check, Outcome, Problem } from '../check.js';

const day = 86_400_000;

/** How long before its end something should have been renewed, in days: `moat start` does so long before. */
const ahead = { certificate: 21, authority: 90, list: 7 };

type TlsListener = Extract<Configuration['listeners'][number], { certfile: string }>;

/** What listeners show, and whom they believe. */
export const certificateChecks: readonly Check[] = [
  {
    code: 'certificates.unusable',
    severity: 'critical',
    expects: 'every certificate, key and revocation list of the listeners can be used',
    why: 'the broker does not start, or goes on with what it had',
    look: each(async (listener, _, { limits }) => {
      const mend = 'moat check -c FILE says the same until it is mended; moat init makes what is missing';
      try {
        await loadListenerTls(listener, limits, { listExpired() {}, unanswered() {} });
        return [];
      } catch (error) {
        return [{ what: String(error), mend }];
      }
    }),
  },
  {
    code: 'certificates.server_ends',
    severity: 'high',
    expects: `the certificate of the server is good for ${ahead.certificate} days more, or a fifth of its life`,
    why: 'on that day every client that verifies stays away',
    look: each(async (listener, now) => {
      const mend = 'moat start renews what its own authority has issued; renew others where they come from';
      const files = [listener, ...listener.more_certificates].map(({ certfile }) => certfile);
      const found = files.map(async (certfile) => {
        const certificate = new X509Certificate(await readFile(certfile));
        const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
        const margin = Math.min(ahead.certificate * day, (to - from) / 5);
        return ending(`${certfile}: the certificate`, to, now, margin, mend);
      });
      return (await Promise.all(found)).flat();
    }),
  },
  {
    code: 'certificates.authority_ends',
    severity: 'high',
    expects: `authorities are good for ${ahead.authority} days more`,
    why: 'on that day every certificate that it has issued ceases to count',
    look: each(async (listener, now) => {
      const mend = 'put the certificate of its successor into cafile beside it, and give the devices new ones';
      const authorities = await readAuthorities(listener);
      return authorities.flatMap(({ certificate, content }) =>
        ending(`authority ${oneLine(certificate.subject)}`, content.notAfter, now, ahead.authority * day, mend),
      );
    }),
  },
  {
    code: 'certificates.list_ends',
    severity: 'high',
    expects: `revocation lists are good for ${ahead.list} days more, or a fifth of their life`,
    why: 'when the list of an authority has run out its certificates are refused, or revoked ones are let in',
    look: each(async (listener, now) => {
      const mend = 'moat pki crl signs that of its own authority anew; fetch others where they come from';
      const lists = (await readRevocationLists(listener)) ?? [];
      return lists.flatMap(({ thisUpdate, nextUpdate }) => {
        if (nextUpdate === undefined) return [];
        const margin = Math.min(ahead.list * day, (nextUpdate - thisUpdate) / 5);
        const name = `revocation list of ${new Date(thisUpdate).toISOString()}`;
        return ending(name, nextUpdate, now, margin, mend);
      });
    }),
  },
];

type Look = (listener: TlsListener, now: number, configuration: Configuration) => Promise<readonly Problem[]>;

/** A check of every listener that encrypts. What two of them share is told once. */
function each(look: Look): Check['look'] {
  return async ({ configuration, now }): Promise<Outcome> => {
    const listeners = configuration.listeners.filter((listener) => 'certfile' in listener);
    const isThere = await access(configuration.data_dir).then(
      () => true,
      () => false,
    );
    if (listeners.length > 0 && !isThere) return { unknown: 'there is no data directory yet: moat init makes it' };
    const found = await Promise.all(
      listeners.map((listener) => look(listener, now.getTime(), configuration).catch(toldElsewhere)),
    );
    return [...new Map(found.flat().map((problem) => [problem.what, problem])).values()];
  };
}

/** Whatever is wrong with a file is certificates.unusable already. */
function toldElsewhere(): readonly Problem[] {
  return [];
}

function ending(what: string, end: number, now: number, margin: number, mend: string): Problem[] {
  if (end - now > margin) return [];
  return [{ what: `${what} ${end < now ? 'ran out' : 'runs out'} on ${new Date(end).toISOString()}`, mend }];
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}
