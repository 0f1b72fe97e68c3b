import { writeFile } from 'node:fs/promises';
import type { Case, Setup } from './world.js';

/** A world with this configuration. */
const written =
  (yaml: string): Setup =>
  (world) => {
    world.yaml = yaml;
  };

const open = 'bind: 0.0.0.0, expose_plaintext: true';

/** Checks that the configuration alone decides, or the policy. */
export const configurationCases: Readonly<Record<string, Case>> = {
  'listeners.plaintext': {
    weak: written(`listeners: [{ protocol: ws, ${open} }]`),
    says: /^ws on 0\.0\.0\.0:8083 is open to others/,
    well: written('listeners: [{ protocol: mqtt, expose_plaintext: true }, { protocol: mqtts }]'),
  },
  'listeners.old_tls': {
    weak: written('listeners: [{ protocol: mqtts, tls_version: tlsv1.2 }]'),
    says: /^mqtts on \*:8883 accepts TLS 1\.2/,
  },
  'listeners.no_forward_secrecy': {
    weak: written("listeners: [{ protocol: mqtts, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256' }]"),
    says: /without forward secrecy/,
    well: written(
      "listeners: [{ protocol: mqtts, ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:!aNULL' }]",
    ),
  },
  'listeners.no_revocation': {
    weak: written('listeners: [{ protocol: mqtts, use_identity_as_username: cn }]'),
    says: /knows no revocation list/,
    well: written(
      'listeners: [{ protocol: mqtts, require_certificate: true, ocsp: hard }, ' +
        '{ protocol: wss, request_certificate: false, use_identity_as_username: true, psk_file: keys }]',
    ),
  },
  'listeners.proxies_unbounded': {
    weak: written('listeners: [{ protocol: mqtts, proxy_protocol: v2, trusted_proxies: [10.0.0.1, 0.0.0.0/7] }]'),
    says: /trusts 0\.0\.0\.0\/7$/,
    well: written(
      'listeners: [{ protocol: mqtts, proxy_protocol: v2, trusted_proxies: [10.0.0.0/8, "2001:db8::/32"] }]',
    ),
  },
  'listeners.any_origin': {
    weak: written('listeners: [{ protocol: wss }]'),
    says: /every origin/,
    well: written('listeners: [{ protocol: wss, allowed_origins: ["https://a.example"] }]'),
  },
  'admin.http_open': {
    weak: written('admin: { http: "127.0.0.1:9883" }'),
    says: /127\.0\.0\.1:9883/,
  },
  'access.anonymous': {
    weak: written('authentication: { allow_anonymous: true, expose_anonymous: true }'),
    says: /let in, from anywhere/,
  },
  'access.default_allow': { weak: written('authorization: { default: allow }'), says: /is allow/ },
  'access.unmeant_rules': {
    weak: ({ data }) =>
      writeFile(
        data('policy.yaml'),
        'rules:\n  - { deny: publish, topics: [a/#] }\n  - { allow: publish, topics: [a/b] }\n',
      ),
    says: /policy\.yaml:3:\d+: this rule never decides/,
  },
  'access.old_hashes': {
    weak: ({ data }) =>
      writeFile(data('passwords'), `old:$7$101$c2FsdHNhbHRzYWx0$${Buffer.alloc(64, 1).toString('base64')}\n`),
    says: /^old hashes: old \(/,
  },
  'guard.profile_off': {
    weak: written('limits: { profile: off }'),
    says: /is off/,
    well: written('limits: { profile: strict }'),
  },
  'guard.allow_wide': {
    weak: written('guard: { allow: ["::/0", 192.0.2.1] }'),
    says: /holds ::\/0$/,
    well: written('guard: { allow: [10.0.0.0/8] }'),
  },
  'audit.off': {
    weak: written('audit: { keep: nothing }'),
    says: /is nothing/,
    well: written('audit: { keep: problems }'),
  },
  'log.events_hidden': {
    weak: written('log: { level: warn }'),
    says: /is warn/,
    well: written('log: { level: debug }'),
  },
};
