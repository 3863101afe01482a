import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { BleuOptions, bleuOptionsSchema } from '../eval/bleu.js';
import type { ChrfOptions, chrfOptionsSchema } from '../eval/chrf.js';
import type { ReportOptions, reportOptionsSchema } from '../eval/report/model.js';
import { type RougeOptions, rougeOptionsSchema } from '../eval/rouge.js';
import type { TerOptions, terOptionsSchema } from '../eval/ter.js';
import { type GenerationOptions, generationOptionsSchema } from '../src/generation/optionsSchema.js';
import { type PretrainConfigInput, pretrainConfigSchema } from '../src/pretraining/config.js';
import { objectiveKinds } from '../src/pretraining/objectives.js';
import { type VocabularyOptions, vocabularyOptionsSchema } from '../src/text/vocabularyOptions.js';
import { type TrainConfigInput, trainConfigSchema } from '../src/training/config.js';
import { type FinetuneConfigInput, finetuneConfigSchema } from '../src/training/finetuneConfig.js';
import type { JointVocabularyOptions, jointVocabularySchema } from '../src/xlm/jointVocabulary.js';
import { type MappingOptions, mappingOptionsSchema } from '../src/xlm/mapping/mappingOptions.js';
import { type XlmPretrainConfigInput, xlmPretrainConfigSchema } from '../src/xlm/pretraining/config.js';
import { xlmObjectiveKinds } from '../src/xlm/pretraining/objectives.js';
import { type XlmRunConfigInput, xlmRunConfigSchema } from '../src/xlm/run/config.js';
import type { TableOptions, tableOptionsSchema } from '../src/xlm/table/tableOptions.js';
import { type TranslationConfigInput, translationConfigSchema } from '../src/xlm/translation/config.js';
import type { NgramOptions, ngramOptionsSchema } from '../src/xlm/vectors/ngrams.js';
import type { VectorTrainingOptions, vectorOptionsSchema } from '../src/xlm/vectors/trainVectors.js';

/*
 * Types that `npm run docs` makes of schemas, so that editors show what options mean, and schemas by which they complete
 * configuration files.
 */

type Same<A, B> = [A, keyof A] extends [B, keyof B]
  ? [B, keyof B] extends [A, keyof A]
    ? true
    : false
  : false;

/** Holds where the file type-checks: options are what their schemas take, and configurations take at least that. */
const sameTypes: [
  Same<GenerationOptions, z.input<typeof generationOptionsSchema>>,
  Same<VocabularyOptions, z.input<typeof vocabularyOptionsSchema>>,
  Same<JointVocabularyOptions, z.input<typeof jointVocabularySchema>>,
  Same<NgramOptions, z.input<typeof ngramOptionsSchema>>,
  Same<VectorTrainingOptions, z.input<typeof vectorOptionsSchema>>,
  Same<MappingOptions, z.input<typeof mappingOptionsSchema>>,
  Same<TableOptions, z.input<typeof tableOptionsSchema>>,
  Same<BleuOptions, z.input<typeof bleuOptionsSchema>>,
  Same<ChrfOptions, z.input<typeof chrfOptionsSchema>>,
  Same<TerOptions, z.input<typeof terOptionsSchema>>,
  Same<RougeOptions, z.input<typeof rougeOptionsSchema>>,
  Same<ReportOptions, z.input<typeof reportOptionsSchema>>,
  z.input<typeof trainConfigSchema> extends TrainConfigInput ? true : false,
  z.input<typeof finetuneConfigSchema> extends FinetuneConfigInput ? true : false,
  z.input<typeof translationConfigSchema> extends TranslationConfigInput ? true : false,
  // Objectives are loose in these, and checked by their own schemas.
  Omit<z.input<typeof pretrainConfigSchema>, 'objectives'> extends Omit<PretrainConfigInput, 'objectives'>
    ? true
    : false,
  Omit<z.input<typeof xlmPretrainConfigSchema>, 'objectives'> extends Omit<
    XlmPretrainConfigInput,
    'objectives'
  >
    ? true
    : false,
  Omit<z.input<typeof xlmRunConfigSchema>, 'pretrain'> extends Omit<XlmRunConfigInput, 'pretrain'>
    ? true
    : false,
] = [
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
  true,
];

type JsonSchema = z.core.JSONSchema.BaseSchema;
const root = resolve(import.meta.dirname, '..');

/** A key of a program's object, and what an editor should say of it. */
interface Key {
  path: string;
  position: number;
  description: string;
}

/** A program that is written key by key. */
function createProgram() {
  let text = '';
  const keys: Key[] = [];
  return {
    keys,
    text: () => text,
    write: (part: string) => {
      text += part;
    },
    key: (path: string, description: string) => {
      keys.push({ path, position: text.length, description });
      text += `${path.split('.').at(-1)}: `;
    },
  };
}

type Program = ReturnType<typeof createProgram>;

/** Options of objectives, which stand beside their type. */
type Kinds = Record<string, { schema: z.ZodObject }>;

/** Writes an object with every key that a schema has; leaves are of a type that goes for any. */
function writeObject(program: Program, schema: JsonSchema, path: string, kinds?: Kinds): void {
  program.write('{\n');
  for (const [name, child] of Object.entries(schema.properties ?? {}) as [string, JsonSchema][]) {
    const own = path === '' ? name : `${path}.${name}`;
    program.key(own, child.description ?? '');
    if (name === 'objectives' && kinds) writeObjective(program, own, kinds);
    else writeValue(program, child, own, kinds);
    program.write(',\n');
  }
  program.write('}');
}

function writeObjective(program: Program, path: string, kinds: Kinds): void {
  const [name, { schema }] = Object.entries(kinds)[0];
  program.write(`{ type: '${name}',\n`);
  for (const [key, child] of Object.entries(inputOf(schema).properties ?? {}) as [string, JsonSchema][]) {
    program.key(`${path}.${key}`, child.description ?? '');
    writeValue(program, child, `${path}.${key}`);
    program.write(',\n');
  }
  program.write('}');
}

function writeValue(program: Program, schema: JsonSchema, path: string, kinds?: Kinds): void {
  const { items, additionalProperties } = schema;
  if (schema.properties) writeObject(program, schema, path, kinds);
  else if (items && (items as JsonSchema).properties) {
    program.write('[');
    writeObject(program, items as JsonSchema, path, kinds);
    program.write(']');
  } else if (typeof additionalProperties === 'object') {
    program.write('{ en: ');
    writeValue(program, additionalProperties as JsonSchema, path, kinds);
    program.write('}');
  } else program.write('null!');
}

const inputOf = (schema: z.ZodType) =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** What TypeScript's language service says of each key of a program. */
function hover(programs: Readonly<Record<string, Program>>): (name: string, key: Key) => string {
  const { options } = ts.convertCompilerOptionsFromJson(
    JSON.parse(readFileSync(resolve(root, 'tsconfig.json'), 'utf8')).compilerOptions,
    root,
  );
  const fileOf = (name: string) => resolve(root, `test/${name}.hover.ts`);
  const texts = new Map(Object.entries(programs).map(([name, program]) => [fileOf(name), program.text()]));
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [...texts.keys()],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const text = texts.get(path) ?? ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (path) => texts.has(path) || ts.sys.fileExists(path),
    readFile: (path) => texts.get(path) ?? ts.sys.readFile(path),
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  return (name, { position }) =>
    ts.displayPartsToString(service.getQuickInfoAtPosition(fileOf(name), position)?.documentation);
}

const plain = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

test('the types are those of the schemas', () => {
  expect(sameTypes).not.toContain(false);
});

describe('an editor says of each key what it means', () => {
  const programs: Record<string, Program> = {};
  const write = (name: string, begin: string, schema: z.ZodObject, end: string, kinds?: Kinds) => {
    const program = createProgram();
    program.write(begin);
    writeObject(program, inputOf(schema), '', kinds);
    program.write(end);
    programs[name] = program;
  };
  const model = `import { loadModel } from '../src/node.js';\nconst model = await loadModel('x');\n`;
  write('translate', `${model}await model.translate(['a'], `, generationOptionsSchema, ');');
  write('generate', `${model}await model.generate([{ text: 'a' }], `, generationOptionsSchema, ');');
  const configs: [string, string, z.ZodObject, Kinds?][] = [
    ['train', 'parseTrainConfig', trainConfigSchema],
    ['finetune', 'parseFinetuneConfig', finetuneConfigSchema],
    ['pretrain', 'parsePretrainConfig', pretrainConfigSchema, objectiveKinds],
    ['xlmPretrain', 'parseXlmPretrainConfig', xlmPretrainConfigSchema, xlmObjectiveKinds],
    ['xlmTrain', 'parseTranslationConfig', translationConfigSchema],
    ['xlmRun', 'parseXlmRunConfig', xlmRunConfigSchema, xlmObjectiveKinds],
  ];
  for (const [name, parser, schema, kinds] of configs) {
    write(name, `import { ${parser} } from '../src/node.js';\n${parser}(`, schema, ');', kinds);
  }
  const options: [string, string, z.ZodObject][] = [
    [
      'mapVectors',
      '{ words: [], size: 1, values: new Float32Array() }, { words: [], size: 1, values: new Float32Array() }',
      mappingOptionsSchema,
    ],
    ['trainVocabulary', '[]', vocabularyOptionsSchema],
  ];
  for (const [name, args, schema] of options) {
    write(name, `import { ${name} } from '../src/node.js';\n${name}(${args}, `, schema, ');');
  }
  write('rouge', "import { rouge } from '../eval/index.js';\nrouge([], [], ", rougeOptionsSchema, ');');
  const say = hover(programs);

  test('such as of numBeams', { timeout: 300_000 }, () => {
    const key = programs.translate.keys.find(({ path }) => path === 'numBeams') as Key;
    expect(say('translate', key)).toMatch(
      /^Number of hypotheses kept at every step, an integer from 1: 1 is greedy search/,
    );
  });

  test.each(Object.entries(programs))('%s', { timeout: 300_000 }, (name, program) => {
    expect(program.keys.length).toBeGreaterThan(2);
    expect(program.keys.filter(({ description }) => description === '')).toEqual([]);
    const silent = program.keys.filter((key) => plain(say(name, key)) !== plain(key.description));
    expect(silent.map((key) => [key.path, say(name, key)])).toEqual([]);
  });
});

describe('the schemas of configuration files', () => {
  const schemaOf = (name: string) =>
    z.fromJSONSchema(JSON.parse(readFileSync(resolve(root, `schemas/${name}.json`), 'utf8')));
  const accepts = (name: string, yaml: string) => schemaOf(name).safeParse(parse(yaml)).success;
  const commands: Record<string, string> = {
    pretrain: 'pretrain',
    finetune: 'finetune',
    xlm: 'xlm-pretrain',
  };

  test.each(readdirSync(resolve(root, 'examples/configs')))('take the example %s', (file) => {
    const yaml = readFileSync(resolve(root, 'examples/configs', file), 'utf8');
    const command = Object.keys(commands).find((name) => file.includes(name)) as string;
    expect(schemaOf(commands[command]).safeParse(parse(yaml)).error?.issues ?? []).toEqual([]);
  });

  test.each([
    ['train', 'data: { train: { tsv: a } }'],
    ['train', 'data: { train: [{ source: a, target: b }], validation: { tsv: c } }'],
    ['finetune', 'init: m\ndata: { train: { tsv: a }, truncation: { headTail: { head: 1, tail: 2 } } }'],
    ['pretrain', 'objectives: { type: mass, fragmentShare: 0.3 }\ndata: { train: { text: a } }'],
    ['pretrain', 'objectives: [{ type: mass }, { type: bart, weight: 2 }]\ndata: { train: [{ text: a }] }'],
    [
      'xlm-pretrain',
      'objectives: { type: mlm }\ndata: { train: { en: a, fr: { text: b }, de: [{ text: c }] } }',
    ],
    ['xlm-train', 'data: { train: { en: a, fr: b }, pairs: { from: en, to: fr, tsv: c } }'],
    [
      'xlm-run',
      'data: { train: { en: a, fr: b }, more: { en: c } }\npretrain: { objectives: [{ type: mlm }, { type: cmlm }] }\ntable: {}',
    ],
  ])('of polybeam %s take %j', (name, yaml) => {
    expect(accepts(name, `output: o\n${yaml}\nseed: 3`)).toBe(true);
    // And nothing that is misspelled or of another type, as the parsers do.
    expect(accepts(name, `output: o\n${yaml}\nsead: 3`)).toBe(false);
    expect(accepts(name, `output: o\n${yaml}\nseed: three`)).toBe(false);
  });

  test('know the options of each objective', () => {
    const pretrain = (objective: string) =>
      accepts('pretrain', `output: o\ndata: {}\nobjectives: ${objective}`);
    expect(pretrain('{ type: bart, infillRate: 0.2 }')).toBe(true);
    expect(pretrain('{ type: mass, infillRate: 0.2 }')).toBe(false);
    expect(pretrain('{ type: mas }')).toBe(false);
  });
});
