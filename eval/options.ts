import type { z } from 'zod';
import { PolybeamError } from '../src/errors.js';
import { requireObject, showValue } from '../src/inputs.js';

/**
 * Checks options against a strict zod schema and fills in the defaults.
 *
 * @param what whose options these are, for messages
 * @param spell how an option is written where the user wrote it: `smoothMethod` in code, `--smooth-method` in a shell
 * @throws OPTION_UNKNOWN for a name that the schema lacks, OPTION_INVALID for a value that it refuses
 */
export function readOptions<S extends z.ZodObject>(
  schema: S,
  options: object,
  what: string,
  spell: (name: string) => string = (name) => name,
): z.output<S> {
  requireObject(options, `What is given as the options of ${what}`, 'options');
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue.code === 'unrecognized_keys') {
    const names = Object.keys(schema.shape).map(spell).join(', ');
    throw new PolybeamError(
      'OPTION_UNKNOWN',
      `${what} has no option ${spell(issue.keys[0])}: its options are ${names}.`,
    );
  }
  const name = String(issue.path[0]);
  const value = showValue((options as Record<string, unknown>)[name]);
  throw new PolybeamError(
    'OPTION_INVALID',
    `${spell(name)} of ${what} cannot be ${value}: ${remedy(issue)}.`,
  );
}

function remedy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `use ${issue.values.join(', ')}`;
  return issue.message.replace(/^(Invalid input|Too small|Too big): /, '').replace(/\.$/, '');
}
