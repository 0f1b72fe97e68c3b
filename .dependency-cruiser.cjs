/** The rooms of the broker, from the top down: an import only ever points down this list. */
const rooms = [
  'broker',
  'connection',
  'admin',
  'session',
  'config',
  'policy',
  'routing',
  'identity',
  'guard',
  'storage',
  'transport',
  'audit',
  'yaml',
  'errors',
];
const room = (name) => `^packages/broker/src/${name}(/|\\.ts$)`;

/** Which packages a package may import; each only through its index. */
const packages = {
  codec: [],
  pki: [],
  broker: ['codec', 'pki'],
  client: [],
  cli: ['broker', 'client', 'codec', 'pki'],
};

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...rooms.slice(1).map((name, index) => ({
      name: `${name}-points-down`,
      severity: 'error',
      from: { path: room(name) },
      to: { path: rooms.slice(0, index + 1).map(room) },
    })),
    ...Object.entries(packages).map(([name, below]) => ({
      name: `${name}-packages`,
      severity: 'error',
      from: { path: `^packages/${name}/src/` },
      to: {
        path: '^packages/[^/]+/',
        pathNot: [`^packages/${name}/`, ...below.map((other) => `^packages/${other}/(dist|src)/index\\.`)],
      },
    })),
    {
      name: 'codec-runs-anywhere',
      severity: 'error',
      from: { path: '^packages/codec/src/' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|dist-test|node_modules)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
