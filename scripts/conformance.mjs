#!/usr/bin/env node
/**
 * The conformance table: which line enforces each normative statement of MQTT, and which test shows it.
 *
 * Statements live in `docs/reference/conformance/*.json`. Sources and test titles refer to them by tag:
 * `[MQTT-4.7.1-2]` for MQTT 5.0, `[MQTT3-4.7.1-2]` for MQTT 3.1.1. In a test, a comment does not count.
 *
 *     node scripts/conformance.mjs             write docs/reference/conformance.md
 *     node scripts/conformance.mjs --check     exit 1 if it is stale, a tag unknown, or a duty unmet
 *     node scripts/conformance.mjs --missing   list the duties still unmet, by section
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Statement
 * @property {string} clause the number that the standard gives it, such as `MQTT-4.7.1-2`
 * @property {'server' | 'both' | 'server refuses' | 'client'} duty whose it is; all but `client` must be enforced and tested
 * @property {string} summary what it demands
 * @property {string} [choice] what Moat does where the standard leaves a choice
 * @property {string} [why] why a server cannot show it (`client` only)
 * @property {string | string[]} [same] MQTT 3.1.1: the 5.0 statements whose enforcement and tests cover it
 *
 * @typedef {object} Standard
 * @property {string} title
 * @property {string} prefix of its tags
 * @property {Record<string, string>} sections section number to heading
 * @property {Statement[]} statements
 *
 * @typedef {{ source: Set<string>, test: Set<string> }} Evidence files that bear a tag, relative to the root
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reference = join(root, 'docs/reference');
const table = join(reference, 'conformance.md');

const packets = {
  3.1: 'CONNECT',
  3.2: 'CONNACK',
  3.3: 'PUBLISH',
  3.4: 'PUBACK',
  3.5: 'PUBREC',
  3.6: 'PUBREL',
  3.7: 'PUBCOMP',
  3.8: 'SUBSCRIBE',
  3.9: 'SUBACK',
  '3.10': 'UNSUBSCRIBE',
  3.11: 'UNSUBACK',
  3.12: 'PINGREQ',
  3.14: 'DISCONNECT',
  3.15: 'AUTH',
};
const operation = {
  1.5: 'Data representation',
  4.1: 'Session state',
  4.2: 'Network connections',
  4.3: 'Quality of service',
  4.4: 'Message delivery retry',
  4.5: 'Message receipt',
  4.6: 'Message ordering',
  4.7: 'Topic names and filters',
  '6.0': 'WebSocket',
};

/** @type {Standard[]} */
const standards = [
  {
    title: 'MQTT 5.0',
    prefix: 'MQTT',
    sections: {
      ...packets,
      ...operation,
      2.1: 'Fixed header',
      2.2: 'Variable header',
      4.8: 'Subscriptions',
      4.9: 'Flow control',
      4.12: 'Enhanced authentication',
      4.13: 'Handling errors',
    },
    statements: read('mqtt-5.0.json'),
  },
  {
    title: 'MQTT 3.1.1',
    prefix: 'MQTT3',
    sections: {
      ...packets,
      ...operation,
      2.2: 'Fixed header',
      2.3: 'Variable header',
      4.8: 'Handling errors',
      '7.0': 'Conformance',
      7.1: 'Conformance targets',
    },
    statements: read('mqtt-3.1.1.json'),
  },
];

/** @param {string} file @returns {Statement[]} */
function read(file) {
  return JSON.parse(readFileSync(join(reference, 'conformance', file), 'utf8'));
}

/** @param {string} prefix @param {Statement} statement */
const tagOf = (prefix, { clause }) => clause.replace('MQTT', prefix);

/** @param {string} clause @returns {string} `MQTT-4.7.1-2` -> `4.7` */
const sectionOf = (clause) => /\d+\.\d+/.exec(clause)?.[0] ?? '';

/** @param {Statement} statement @returns {string[]} */
const sameOf = ({ same }) => [same ?? []].flat();

/** @param {string} directory @returns {string[]} its .ts files, sorted; none if it does not exist */
function sourcesIn(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(directory, file))
    .sort();
}

/** @param {string} code @returns {string} without its comments; enough for tests, where tags stand in titles */
function withoutComments(code) {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** @returns {{ evidence: Map<string, Evidence>, unknown: string[] }} */
function collect() {
  /** @type {Map<string, Evidence>} */
  const evidence = new Map();
  for (const { prefix, statements } of standards) {
    for (const statement of statements) {
      evidence.set(tagOf(prefix, statement), { source: new Set(), test: new Set() });
    }
  }
  /** @type {string[]} */
  const unknown = [];
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    for (const kind of /** @type {const} */ (['src', 'test'])) {
      for (const path of sourcesIn(join(root, 'packages', name, kind))) {
        const file = relative(root, path);
        const text = readFileSync(path, 'utf8');
        for (const [, tag = ''] of (kind === 'test' ? withoutComments(text) : text).matchAll(
          /\[(MQTT3?-[^\]\n]*)\]/g,
        )) {
          const found = evidence.get(tag);
          if (found) found[kind === 'test' ? 'test' : 'source'].add(file);
          else unknown.push(`${file}: [${tag}] is not a statement of either standard`);
        }
      }
    }
  }
  return { evidence, unknown };
}

/**
 * @param {Map<string, Evidence>} evidence
 * @returns {{ standard: Standard, statement: Statement, lacks: string }[]} duties unmet; a statement of 3.1.1 with
 *   `same` is met where those of 5.0 are, and is listed there if they are not
 */
function unmet(evidence) {
  return standards.flatMap((standard) =>
    standard.statements.flatMap((statement) => {
      if (statement.duty === 'client' || sameOf(statement).length > 0) return [];
      const { source, test } = evidence.get(tagOf(standard.prefix, statement)) ?? {
        source: new Set(),
        test: new Set(),
      };
      const lacks = [source.size === 0 && 'an enforcing line', test.size === 0 && 'a test']
        .filter(Boolean)
        .join(' and ');
      return lacks ? [{ standard, statement, lacks }] : [];
    }),
  );
}

/** @param {Set<string>} files @param {string[]} same */
function links(files, same) {
  const own = [...files].map((file) => `[${file.replace(/^packages\//, '')}](../../${file})`);
  return [...own, ...same.map((clause) => `as ${clause}`)].join('<br>');
}

/** @param {string} text for a cell of a Markdown table */
const cell = (text) => text.replace(/[|<*_]/g, (character) => `\\${character}`);

/** @param {Map<string, Evidence>} evidence @returns {string} */
function render(evidence) {
  const lines = [
    '<!-- Generated by scripts/conformance.mjs from docs/reference/conformance/*.json and the tags in packages/. -->',
    '# Conformance',
    '',
    'Every normative statement of MQTT 5.0 and 3.1.1, in our own words, with the file that enforces it and the tests that',
    'show it. *server refuses* marks a duty of the client whose breach the broker detects. *client* marks what no server',
    'can observe. Search a file for the number of a statement to find the line.',
  ];
  for (const { title, prefix, sections, statements } of standards) {
    const clients = statements.filter(({ duty }) => duty === 'client').length;
    lines.push('', `## ${title}`, '', `${statements.length} statements, ${clients} of them the client's alone.`);
    let section = '';
    for (const statement of statements) {
      if (sectionOf(statement.clause) !== section) {
        section = sectionOf(statement.clause);
        lines.push('', `### ${section} ${sections[section] ?? ''}`.trimEnd(), '');
        lines.push('| statement | demand | duty | enforced in | shown by |', '| --- | --- | --- | --- | --- |');
      }
      const found = evidence.get(tagOf(prefix, statement)) ?? { source: new Set(), test: new Set() };
      const same = sameOf(statement);
      const demand = [statement.summary, statement.choice ?? statement.why]
        .filter(Boolean)
        .map((text) => cell(text ?? ''));
      lines.push(
        `| ${[
          statement.clause,
          demand[1] ? `${demand[0]}<br>*${demand[1]}*` : demand[0],
          statement.duty,
          links(found.source, same),
          links(found.test, same),
        ].join(' | ')} |`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

/** @returns {string} the table as it stands, empty if there is none */
const current = () => (existsSync(table) ? readFileSync(table, 'utf8') : '');

const { values } = parseArgs({ options: { check: { type: 'boolean' }, missing: { type: 'boolean' } } });
const { evidence, unknown } = collect();
const open = unmet(evidence);

if (values.missing) {
  let heading = '';
  for (const { standard, statement, lacks } of open) {
    const next = `${standard.title}, ${sectionOf(statement.clause)} ${standard.sections[sectionOf(statement.clause)] ?? ''}`;
    if (next !== heading) console.log(`\n${next}`);
    heading = next;
    console.log(`  [${tagOf(standard.prefix, statement)}] lacks ${lacks}: ${statement.summary}`);
  }
  console.log(`\n${open.length} duties unmet`);
} else if (values.check) {
  const problems = [
    ...unknown,
    ...open.map(({ standard, statement, lacks }) => `[${tagOf(standard.prefix, statement)}] lacks ${lacks}`),
    ...(current() === render(evidence)
      ? []
      : ['docs/reference/conformance.md is stale: run node scripts/conformance.mjs']),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
} else {
  writeFileSync(table, render(evidence));
}
