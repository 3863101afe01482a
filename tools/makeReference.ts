/**
 * Writes docs/reference/ from the option schemas, the error catalogue and the help pages, and from the schemas the types of options
 * (*.types.ts) and what editors complete configurations by (schemas/): `npm run docs`. With `--check` it writes nothing and fails where a page is out of date.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { describeFlags } from '../src/cli/flags.js';
import { buildProgram, runProgram } from '../src/cli/program.js';
import { errorCatalogue } from '../src/errors.js';
import { generationOptionsSchema } from '../src/generation/options.js';
import { pretrainConfigSchema } from '../src/pretraining/config.js';
import { objectiveKinds } from '../src/pretraining/objectives.js';
import { vocabularyOptionsSchema } from '../src/text/vocabularyOptions.js';
import { modelPresets, trainConfigSchema } from '../src/training/config.js';
import { finetuneConfigSchema } from '../src/training/finetuneConfig.js';
import { jointVocabularySchema } from '../src/xlm/jointVocabulary.js';
import { mappingOptionsSchema } from '../src/xlm/mapping/mappingOptions.js';
import { xlmPretrainConfigSchema } from '../src/xlm/pretraining/config.js';
import { ngramAccuracySchema } from '../src/xlm/pretraining/ngramAccuracy.js';
import { xlmObjectiveKinds } from '../src/xlm/pretraining/objectives.js';
import { xlmRunConfigSchema } from '../src/xlm/run/config.js';
import { phraseOptionsSchema, phraseSearchSchema } from '../src/xlm/table/phraseTranslatorOptions.js';
import { constraintOptionsSchema } from '../src/xlm/table/tableConstraints.js';
import { tableOptionsSchema } from '../src/xlm/table/tableOptions.js';
import { translationConfigSchema } from '../src/xlm/translation/config.js';
import { ngramOptionsSchema } from '../src/xlm/vectors/ngrams.js';
import { vectorOptionsSchema } from '../src/xlm/vectors/trainVectors.js';
import { schemaFiles } from './options/configSchemas.js';
import { typeFiles } from './options/optionTypes.js';

type JsonSchema = z.core.JSONSchema.Schema;

const directory = 'docs/reference';
const origin = (source: string) => `<!-- Made by \`npm run docs\` from ${source}: do not edit. -->`;

/** Markdown that shows a text as it is, also inside a table. */
function plain(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('|', '\\|').replaceAll('*', '\\*');
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function optionTable(schema: z.ZodObject): string {
  const rows = describeFlags(schema).map(({ name, flag, description, preset }) => [
    code(name),
    flag === undefined ? '' : code(flag),
    preset === undefined ? '' : code(preset),
    plain(description),
  ]);
  return table(['Option', 'Flag', 'Default', 'Meaning'], rows);
}

function optionsPage(): string {
  return `${origin('the option schemas')}

# Options

In the library an option is a property (\`{ numBeams: 4 }\`), on the command line a flag (\`--num-beams 4\`). Booleans
are switches with a \`--no-\` form; lists and objects are JSON; functions exist in the library only. An unknown, impossible or conflicting option is
refused before anything is loaded.

## Generation

For \`generate\`, \`translate\` and \`model.generate()\`. A model's own defaults, from its \`generation_config.json\`,
go before the defaults given here.

${optionTable(generationOptionsSchema)}

## Vocabulary

For \`polybeam vocab\`, \`trainVocabulary()\` and the key \`vocabulary.train\` of a training configuration.

${optionTable(vocabularyOptionsSchema)}

## Joint vocabulary

For \`polybeam xlm vocabulary\` and \`trainJointVocabulary()\`: the options of a BPE vocabulary above but for \`type\`,
\`specialTokens\` and \`template\`, with

${optionTable(jointVocabularySchema.pick({ size: true, alpha: true }))}

## n-grams

For \`polybeam xlm ngrams\` and \`chooseNgrams()\`.

${optionTable(ngramOptionsSchema)}

## Vectors

For \`polybeam xlm vectors\` and \`trainVectors()\`.

${optionTable(vectorOptionsSchema)}

## Mapping

For \`polybeam xlm map\` and \`mapVectors()\`.

${optionTable(mappingOptionsSchema)}

## Translation table

For \`polybeam xlm table build\` and \`buildTable()\`.

${optionTable(tableOptionsSchema)}

## Phrase translation

For \`polybeam xlm table translate\`, \`translateByTable()\` and \`translateByPhrases()\`; from \`numBeams\` on with a language model only.

${optionTable(phraseOptionsSchema.extend(phraseSearchSchema.shape))}

## Constraints from a table

For \`constraintsFromTable()\`.

${optionTable(constraintOptionsSchema).replaceAll(/ `--[^|]*\|/g, ' |')}

## Translations at masked n-grams

For \`polybeam xlm accuracy\` and \`measureNgramTranslations()\`.

${optionTable(ngramAccuracySchema)}
`;
}

function trainConfigPage(): string {
  const schema = z.toJSONSchema(trainConfigSchema, { io: 'input' }) as JsonSchema;
  const presets = Object.entries(modelPresets).map(
    ([name, { layers, dModel, ffnDim, attentionHeads, dropout }]) =>
      [code(name), layers.join(' + '), dModel, ffnDim, attentionHeads, dropout].map(String),
  );
  return `${origin('src/training/config.ts')}

# Training configuration

The YAML (or JSON) file that \`polybeam train\` reads. It is checked as a whole before anything is read or computed.

${section(schema, '')}

## Presets of model.preset

${table(['Preset', 'Layers', 'dModel', 'ffnDim', 'attentionHeads', 'dropout'], presets)}
`;
}

function finetuneConfigPage(): string {
  const schema = z.toJSONSchema(finetuneConfigSchema, { io: 'input' }) as JsonSchema;
  return `${origin('src/training/finetuneConfig.ts')}

# Fine-tuning configuration

The YAML (or JSON) file that \`polybeam finetune\` reads. It is checked as a whole before anything is read or computed, and again
against the model before anything is trained.

${section(schema, '')}
`;
}

function pretrainConfigPage(): string {
  const schema = z.toJSONSchema(pretrainConfigSchema, { io: 'input' }) as JsonSchema;
  const objectives = Object.entries(objectiveKinds).map(
    ([name, { summary, schema: own, reads, modelType }]) => {
      const options = section(z.toJSONSchema(own, { io: 'input' }) as JsonSchema, '', '###');
      const source = reads === 'pairs' ? 'data.pairs' : 'data.train';
      return `## Objective ${code(name)}\n\n${plain(summary)} Learns from ${code(source)}; meant for ${code(`model.type: ${modelType}`)}.\n\n${options}`;
    },
  );
  return `${origin('src/pretraining')}

# Pre-training configuration

The YAML (or JSON) file that \`polybeam pretrain\` reads. It is checked as a whole before anything is read or computed. The options of an
objective stand beside its \`type\` and \`weight\`.

${section(schema, '')}

${objectives.join('\n\n')}
`;
}

function xlmPretrainConfigPage(): string {
  const schema = z.toJSONSchema(xlmPretrainConfigSchema, { io: 'input' }) as JsonSchema;
  const objectives = Object.entries(xlmObjectiveKinds).map(([name, { summary, schema: own, reads }]) => {
    const options = section(z.toJSONSchema(own, { io: 'input' }) as JsonSchema, '', '###');
    const source = reads === 'pairs' ? 'data.pairs' : 'data.train';
    return `## Objective ${code(name)}\n\n${plain(summary)} Learns from ${code(source)}.\n\n${options}`;
  });
  return `${origin('src/xlm/pretraining')}

# XLM pre-training configuration

The YAML (or JSON) file that \`polybeam xlm pretrain\` reads. It is checked as a whole before anything is read or computed. The options of
an objective stand beside its \`type\` and \`weight\`.

${section(schema, '')}

${objectives.join('\n\n')}
`;
}

function xlmTrainConfigPage(): string {
  const schema = z.toJSONSchema(translationConfigSchema, { io: 'input' }) as JsonSchema;
  return `${origin('src/xlm/translation')}

# Translation configuration without parallel text

The YAML (or JSON) file that \`polybeam xlm train\` reads. It is checked as a whole before anything is read or computed.

${section(schema, '')}
`;
}

function xlmRunConfigPage(): string {
  const { pretrain, train, ...shape } = xlmRunConfigSchema.shape;
  const schema = z.toJSONSchema(xlmRunConfigSchema.pick(picked(shape)), { io: 'input' }) as JsonSchema;
  const elsewhere = table(
    ['Key', 'Meaning'],
    [
      [code('pretrain'), `${pretrain.description} [Its keys](xlm-pretrain-config.md).`],
      [code('train'), `${train.description} [Its keys](xlm-train-config.md).`],
    ],
  );
  return `${origin('src/xlm/run/config.ts')}

# Configuration of a whole run

The YAML (or JSON) file that \`polybeam xlm run\` reads. It is checked as a whole, every stage of it, before anything is read or computed.

${section(schema, '')}

## Trainings

What comes from the stages before is left out: \`output\`, \`init\`, \`vocabulary\`, \`seed\`, \`device\`, \`threads\`, and of \`data\` the files.

${elsewhere}
`;
}

/** A mask of all keys. */
function picked<T extends object>(shape: T): Record<keyof T, true> {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, true])) as Record<keyof T, true>;
}

/** The keys of an object as a table, then the objects among them as sections of their own. */
function section(schema: JsonSchema, path: string, heading = '##'): string {
  const required = new Set(schema.required ?? []);
  const rows: string[][] = [];
  const below: string[] = [];
  for (const [key, value] of Object.entries(schema.properties ?? {}) as [string, JsonSchema][]) {
    const name = path ? `${path}.${key}` : key;
    const entries = value.additionalProperties as JsonSchema | undefined;
    const listed = entries?.type === 'array' ? entries : value;
    const inner = (listed.type === 'array' ? listed.items : listed) as JsonSchema;
    // The options of plain vocabularies have a table of their own.
    if (name === 'vocabulary.train' && !inner.properties?.alpha) {
      rows.push([
        code(key),
        'object',
        '',
        `${plain(value.description ?? '')} See [options](options.md#vocabulary).`,
      ]);
      continue;
    }
    const preset = required.has(key) ? '*required*' : defaultText(value);
    rows.push([code(key), plain(typeText(value)), preset, plain(value.description ?? '')]);
    if (inner.properties) {
      below.push(
        `${heading} ${name}${entries ? '.LANGUAGE' : ''}${listed.type === 'array' ? '[]' : ''}\n\n${section(inner, name, heading)}`,
      );
    }
  }
  return [table(['Key', 'Value', 'Default', 'Meaning'], rows), ...below].join('\n\n');
}

function defaultText({ default: preset }: JsonSchema): string {
  return preset === undefined || typeof preset === 'object' ? '' : code(String(preset));
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return (schema.anyOf as JsonSchema[]).map(alternativeText).join(' or ');
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items as JsonSchema)}`;
  const bounds = [
    schema.minimum === undefined ? '' : `at least ${schema.minimum}`,
    schema.exclusiveMinimum === undefined ? '' : `above ${schema.exclusiveMinimum}`,
    schema.maximum === undefined || schema.maximum === Number.MAX_SAFE_INTEGER
      ? ''
      : `at most ${schema.maximum}`,
    schema.exclusiveMaximum === undefined ? '' : `below ${schema.exclusiveMaximum}`,
    schema.multipleOf === undefined ? '' : `a multiple of ${schema.multipleOf}`,
  ].filter(Boolean);
  const type = schema.type === 'string' ? 'text' : String(schema.type);
  return bounds.length > 0 ? `${type}, ${bounds.join(', ')}` : type;
}

/** One of several types: an object shows its keys, since it has no section of its own. */
function alternativeText(schema: JsonSchema): string {
  const keys = Object.entries(schema.properties ?? {}) as [string, JsonSchema][];
  if (keys.length === 0) return typeText(schema);
  return `{ ${keys.map(([key, value]) => `${key}: ${alternativeText(value)}`).join(', ')} }`;
}

function errorsPage(): string {
  const rows = Object.entries(errorCatalogue).map(([name, meaning]) => [
    `[${code(name)}](errors/${name}.md)`,
    plain(meaning),
  ]);
  return `${origin('src/errors.ts')}

# Errors

What polybeam refuses it refuses with a \`PolybeamError\`: \`message\` is one sentence with the value and the remedy,
\`code\` one of these. Codes are stable. The command line prints both and ends with 2 for wrong usage (codes that begin
with \`OPTION_\`, unknown commands and flags), with 1 otherwise; \`--debug\` adds the stack. Each code has a page with an
example and what to do.

${table(['Code', 'Meaning'], rows)}
`;
}

async function commandLinePage(): Promise<string> {
  const pages: string[] = [];
  for (const path of commandPaths(await buildProgram())) {
    pages.push(`## ${['polybeam', ...path].join(' ')}\n\n\`\`\`\n${(await helpOf(path)).trim()}\n\`\`\``);
  }
  return `${origin('the help pages')}

# Command line

${pages.join('\n\n')}
`;
}

/** The words of every command, groups before their members. */
function commandPaths(command: Command, path: string[] = []): string[][] {
  const below = command.commands.flatMap((child) => commandPaths(child, [...path, child.name()]));
  return [path, ...below];
}

async function helpOf(path: string[]): Promise<string> {
  let text = '';
  async function* nothing(): AsyncGenerator<string> {}
  const collect = { write: (part: string) => (text += part) };
  await runProgram([...path, '--help'], { stdin: nothing(), stdout: collect, stderr: collect });
  return text;
}

const pages: Record<string, string> = {
  'options.md': optionsPage(),
  'train-config.md': trainConfigPage(),
  'finetune-config.md': finetuneConfigPage(),
  'pretrain-config.md': pretrainConfigPage(),
  'xlm-pretrain-config.md': xlmPretrainConfigPage(),
  'xlm-train-config.md': xlmTrainConfigPage(),
  'xlm-run-config.md': xlmRunConfigPage(),
  'errors.md': errorsPage(),
  'cli.md': await commandLinePage(),
};

const check = process.argv.includes('--check');
const made: Record<string, string> = Object.fromEntries(
  Object.entries(pages).map(([name, content]) => [`${directory}/${name}`, content]),
);
await Promise.all(
  Object.entries({ ...typeFiles(), ...schemaFiles() }).map(async ([path, content]) => {
    made[path] = await formatted(path, content);
  }),
);
for (const [path, content] of Object.entries(made)) {
  if (!check) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  } else if (currentContent(path) !== content) {
    console.error(`${path} is out of date: run \`npm run docs\` and commit it.`);
    process.exitCode = 1;
  }
}

/** As `npm run format` would leave a file. */
function formatted(path: string, content: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'node_modules/.bin/biome',
      ['format', `--stdin-file-path=${path}`],
      { maxBuffer: 1 << 26 },
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
    child.stdin?.end(content);
  });
}

function currentContent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
