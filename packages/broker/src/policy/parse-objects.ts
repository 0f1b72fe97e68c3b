import type { Report } from '../yaml/read-yaml.js';
import { closest } from '../yaml/suggest.js';
import type { Path } from '../yaml/yaml-source.js';
import { canBeSeveral } from './facts.js';
import { filterProblem } from './filter.js';
import { type ClientIdPattern, parseClientIdPattern, parseTopicPattern, type TopicPattern } from './object.js';
import { isVariable, parseTemplate, variableNames, variablesOf } from './template.js';

/** The topics of a rule, each a filter that may hold variables. */
export function parseTopics(texts: readonly string[], path: Path, report: Report): TopicPattern[] {
  for (const [index, text] of texts.entries()) {
    const at = [...path, index];
    checkVariables(text, at, report);
    const problem = filterProblem(text.replace(/\$\{[^}]*\}/g, 'x'));
    if (problem) report(at, `the topic filter ${JSON.stringify(text)} ${problem}`);
    if (text.startsWith('$share/'))
      report(at, 'a rule is about the filter in a shared subscription', 'leave out $share and the name');
  }
  return texts.map(parseTopicPattern);
}

/** The client IDs of a rule, with variables and at most one `*`. */
export function parseClientIds(texts: readonly string[], path: Path, report: Report): ClientIdPattern[] {
  return texts.flatMap((text, index) => {
    checkVariables(text, [...path, index], report);
    const pattern = parseClientIdPattern(text);
    if (!pattern) report([...path, index], `${JSON.stringify(text)} has more than one *`);
    return pattern ?? [];
  });
}

function checkVariables(text: string, path: Path, report: Report): void {
  const template = parseTemplate(text);
  const seen = new Set<string>();
  for (const name of variablesOf(template)) {
    if (!isVariable(name)) {
      const meant = closest(name, variableNames);
      const known = variableNames.map((known) => `\${${known}}`).join(', ');
      report(path, `there is no variable \${${name}}`, meant ? `did you mean \${${meant}}?` : `there are ${known}`);
    } else if (seen.has(name) && canBeSeveral(name)) {
      report(path, `\${${name}} stands twice in ${JSON.stringify(text)}`, 'it can have several values: use it once');
    }
    seen.add(name);
  }
  if (template.some((part, index) => index % 2 === 0 && part.includes('${'))) {
    report(path, `${JSON.stringify(text)} has a \${ without its }`);
  }
}
