/** Imports point downwards only: what each part may import beside itself and the shared files right under src. */
const compute = ['engine', 'nn'];
const models = [...compute, 'encoder', 'decoder', 'generation'];
const mayImport = {
  engine: [],
  nn: ['engine'],
  encoder: compute,
  // A decoder runs on an encoder's memory and serves generation's StepModel.
  decoder: [...compute, 'encoder', 'generation'],
  // Generation knows a model only through its own StepModel interface.
  generation: [],
  text: [],
  alignment: ['generation'],
  pretrained: [...models, 'text', 'alignment', 'training', 'pretraining', 'xlm'],
  training: [...models, 'text', 'eval', 'pretrained', 'pretraining', 'xlm'],
  reranking: ['eval', 'pretrained', 'text'],
  pretraining: [...models, 'text', 'pretrained', 'training', 'xlm'],
  xlm: [...models, 'text', 'eval', 'alignment', 'pretrained', 'training', 'pretraining'],
};

const folder = (name) => (name === 'eval' ? '^eval/' : `^src/${name}/`);
const shared = '^src/(errors|files|gzip|inputs|lfsPointer|printable|shallowJson|threefry)\\.ts$';
const own = (path) => ({ path, pathNot: '\\.(test|contract)\\.ts$' });

module.exports = {
  forbidden: [
    ...Object.entries({ ...mayImport, eval: [] }).map(([part, others]) => ({
      name: `${part}-imports-downwards`,
      comment: `${part} may import ${['errors', 'files', 'gzip', 'inputs', 'lfsPointer', 'printable', 'shallowJson', 'threefry', ...others].join(', ')} and packages only`,
      severity: 'error',
      from: own(folder(part)),
      to: {
        path: '^(src|eval|bench|tools|test|examples)/',
        pathNot: [folder(part), shared, ...others.map(folder)],
      },
    })),
    {
      name: 'shared-files-import-nothing',
      comment: 'the files right under src that all parts share are below everything',
      severity: 'error',
      from: { path: shared },
      to: { path: '.', pathNot: shared },
    },
    {
      name: 'index-works-in-a-browser',
      comment: 'src/index.ts is what a browser loads: nothing of Node or the command line',
      severity: 'error',
      from: { path: '^src/index\\.ts$' },
      to: { path: '^src/(cli|node)(/|\\.ts)' },
    },
    {
      name: 'node-knows-no-command-line',
      severity: 'error',
      from: own('^src/node(/|\\.ts)'),
      to: { path: '^src/cli/' },
    },
    {
      name: 'no-node-modules',
      comment:
        'only src/cli, src/node, src/node.ts and tests may import modules of Node; take a FileAccess instead',
      severity: 'error',
      from: {
        path: '^(src|eval)/',
        pathNot: ['^src/(cli|node)/', '^src/node\\.ts$', '\\.(test|contract)\\.ts$'],
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-native-packages',
      comment: 'packages that exist only in Node are handed in by src/node.ts',
      severity: 'error',
      from: {
        path: '^(src|eval)/',
        pathNot: ['^src/(cli|node)/', '^src/node\\.ts$', '\\.(test|contract)\\.ts$'],
      },
      to: {
        path: 'node_modules/(onnxruntime-node|tokenizers|sentencepiece-js|commander|@tensorflow/tfjs-node)',
      },
    },
    {
      name: 'one-door-to-onnxruntime-node',
      comment: 'src/node/onnxLibrary.ts forbids its telemetry before it loads; import it from there',
      severity: 'error',
      from: { pathNot: '^src/node/onnxLibrary\\.ts$' },
      to: { path: 'node_modules/onnxruntime-node' },
    },
    {
      name: 'no-test-support-in-the-product',
      severity: 'error',
      from: own('^(src|eval)/'),
      to: { path: '(^test/|\\.test\\.ts$)' },
    },
    {
      name: 'no-cycles',
      comment: 'a file that needs itself cannot be read from top to bottom',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
