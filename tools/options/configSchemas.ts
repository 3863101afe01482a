import { z } from 'zod';
import { pretrainConfigSchema } from '../../src/pretraining/config.js';
import { objectiveKinds } from '../../src/pretraining/objectives.js';
import { trainConfigSchema } from '../../src/training/config.js';
import { finetuneConfigSchema } from '../../src/training/finetuneConfig.js';
import { xlmPretrainConfigSchema } from '../../src/xlm/pretraining/config.js';
import { xlmObjectiveKinds } from '../../src/xlm/pretraining/objectives.js';
import { xlmRunConfigSchema } from '../../src/xlm/run/config.js';
import { translationConfigSchema } from '../../src/xlm/translation/config.js';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/*
 * The configuration files as JSON Schemas, with the short forms that parsers write out before they check: `{...}` for a list of
 * one, a path for `{ text: path }`, and the options of each objective beside its type.
 */

/** A schema as what may be given; bounds that JavaScript's integers have anyway are left out. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as JsonSchema;
}

const oneOrList = ({ description, ...list }: JsonSchema): JsonSchema => ({
  description,
  anyOf: [list.items as JsonSchema, list],
});

/** Texts by language: for each a file, an entry or a list. */
const textsByLanguage = (schema: JsonSchema): JsonSchema => {
  const list = schema.additionalProperties as JsonSchema;
  return {
    ...schema,
    additionalProperties: { anyOf: [{ type: 'string', minLength: 1 }, list.items as JsonSchema, list] },
  };
};

/** A schema with some of its properties replaced, each at a dotted path. */
function replaced(
  schema: JsonSchema,
  changes: Readonly<Record<string, (old: JsonSchema) => JsonSchema>>,
): JsonSchema {
  const copy = structuredClone(schema);
  for (const [path, change] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    const holder = keys.reduce((node, key) => node.properties?.[key] as JsonSchema, copy);
    const properties = holder.properties as Record<string, JsonSchema>;
    properties[last] = change(properties[last]);
  }
  return copy;
}

type Kinds = Readonly<Record<string, { summary: string; schema: z.ZodObject }>>;

/** Each objective with its options; one or a list. @param given options that come from elsewhere, by objective */
const objectivesOf = (kinds: Kinds, given: readonly string[] = []) => {
  return (schema: JsonSchema): JsonSchema => {
    const { type, weight } = (schema.items as JsonSchema).properties as Record<string, JsonSchema>;
    const entries = Object.entries(kinds).map(([name, { summary, schema: own }]): JsonSchema => {
      const { properties, required = [], additionalProperties } = jsonSchemaOf(own);
      return {
        type: 'object',
        description: summary,
        properties: { type: { const: name, description: type.description }, weight, ...properties },
        required: ['type', ...required.filter((key) => !given.includes(key))],
        additionalProperties,
      };
    });
    return oneOrList({ ...schema, items: { anyOf: entries } });
  };
};

const pairs = { 'data.pairs': oneOrList, 'data.validationPairs': oneOrList };
const languages = { 'data.train': textsByLanguage, 'data.validation': textsByLanguage };

/** The configuration files, by the command that reads them with hyphens for blanks. */
export const configSchemas: Readonly<Record<string, { title: string; schema: JsonSchema }>> = {
  train: {
    title: 'Configuration of polybeam train',
    schema: replaced(jsonSchemaOf(trainConfigSchema), {
      'data.train': oneOrList,
      'data.validation': oneOrList,
    }),
  },
  finetune: {
    title: 'Configuration of polybeam finetune',
    schema: replaced(jsonSchemaOf(finetuneConfigSchema), {
      'data.train': oneOrList,
      'data.validation': oneOrList,
    }),
  },
  pretrain: {
    title: 'Configuration of polybeam pretrain',
    schema: replaced(jsonSchemaOf(pretrainConfigSchema), {
      objectives: objectivesOf(objectiveKinds),
      'data.train': oneOrList,
      'data.validation': oneOrList,
      ...pairs,
    }),
  },
  'xlm-pretrain': {
    title: 'Configuration of polybeam xlm pretrain',
    schema: replaced(jsonSchemaOf(xlmPretrainConfigSchema), {
      objectives: objectivesOf(xlmObjectiveKinds),
      ...languages,
      ...pairs,
    }),
  },
  'xlm-train': {
    title: 'Configuration of polybeam xlm train',
    schema: replaced(jsonSchemaOf(translationConfigSchema), { ...languages, ...pairs }),
  },
  'xlm-run': {
    title: 'Configuration of polybeam xlm run',
    schema: replaced(jsonSchemaOf(xlmRunConfigSchema), {
      'pretrain.objectives': objectivesOf(xlmObjectiveKinds, ['tables', 'vectors']),
      ...languages,
      'data.more': textsByLanguage,
      'data.validationPairs': oneOrList,
    }),
  },
};

/** The files that editors complete YAML by, as texts. */
export function schemaFiles(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(configSchemas).map(
      ([
        name,
        {
          title,
          schema: { $schema, ...schema },
        },
      ]) => [`schemas/${name}.json`, JSON.stringify({ $schema, title, ...schema })],
    ),
  );
}
