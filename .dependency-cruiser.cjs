/** The rooms of the broker, from the top down: an import only ever points down this list. */
const rooms = [
  'index',
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
  'version',
  'errors',
  'glob',
  'fifo',
  'lower-priority',
  'collect-garbage',
];
const room = (name) => `^packages/broker/src/${name}(/|\\.ts$)`;

/** Which packages a package may import. */
const packages = {
  codec: [],
  pki: [],
  scram: [],
  broker: ['codec', 'pki', 'scram'],
  client: ['pki', 'scram'],
  cli: ['broker', 'client', 'codec', 'pki', 'scram', 'drills'],
  testkit: [],
  torture: ['codec', 'testkit'],
  fuzz: ['codec', 'testkit'],
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      comment: 'What a package imports stands in its own package.json',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    ...rooms.slice(1).map((name, index) => ({
      name: `${name}-points-down`,
      severity: 'error',
      from: { path: room(name) },
      to: { path: rooms.slice(0, index + 1).map(room) },
    })),
    {
      name: 'every-file-has-a-room',
      severity: 'error',
      from: {},
      to: { path: '^packages/broker/src/', pathNot: rooms.map(room) },
    },
    ...Object.entries(packages).map(([name, below]) => ({
      name: `${name}-packages`,
      severity: 'error',
      from: { path: `^packages/${name}/src/` },
      to: {
        path: '^(packages/[^/]+|bench|drills)/',
        pathNot: [name, ...below].map((other) => `^(packages/)?${other}/`),
      },
    })),
    {
      name: 'only-what-is-exported',
      comment: 'Another package is imported by its name, so through what its package.json exports',
      severity: 'error',
      from: { path: '^(packages/[^/]+|bench|drills)/' },
      to: { path: '^(packages/[^/]+|bench|drills)/', pathNot: '^$1/', dependencyTypes: ['local'] },
    },
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
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    // TypeScript 7 has no programming interface that the cruiser could use; swc sees type-only imports as well.
    parser: 'swc',
    tsPreCompilationDeps: true,
    // A package resolves to what it was built into: where an import leads is of interest, not what is behind it.
    doNotFollow: { path: '(^|/)(node_modules|dist)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
