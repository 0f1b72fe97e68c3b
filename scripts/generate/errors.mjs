// docs/reference/errors.md, from the registries of the code.
import { operatorErrors } from '../../packages/broker/dist/index.js';
import { ConnectReturnCode, ReasonCode } from '../../packages/codec/dist/index.js';
import { pkiErrors } from '../../packages/pki/dist/index.js';

const hex = (code) => `0x${code.toString(16).padStart(2, '0').toUpperCase()}`;
const words = (name) =>
  name
    .replace('QoS', 'Qos')
    .replace(/([A-Z0-9]+)/g, ' $1')
    .toLowerCase();

export async function errorsPage() {
  const operator = Object.entries({ ...operatorErrors, ...pkiErrors }).map(
    ([code, exit]) => `| \`${code}\` | ${exit} |`,
  );
  const byCode = new Map();
  for (const [name, code] of Object.entries(ReasonCode)) byCode.set(code, [...(byCode.get(code) ?? []), words(name)]);
  const reasons = [...byCode]
    .sort(([a], [b]) => a - b)
    .map(([code, names]) => `| ${hex(code)} | ${names.join(', ')} |`);
  const returns = Object.entries(ConnectReturnCode).map(([name, code]) => `| ${code} | ${words(name)} |`);
  return `# Errors

Generated from the registries in the code.

## What an operator meets

One line, as \`file:line:column: message (what to do)\`, and the exit code of the command.

| code | exit code |
| --- | --- |
${operator.join('\n')}

## What a client meets: MQTT 5.0

| reason code | name |
| --- | --- |
${reasons.join('\n')}

## What a client meets: MQTT 3.1 and 3.1.1

| return code in CONNACK | name |
| --- | --- |
${returns.join('\n')}

A SUBACK refuses with 0x80; everything else that breaks the standard closes the connection.
`;
}
