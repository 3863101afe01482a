/** What a special token is for; names as in Hugging Face's configuration files, in camelCase. */
export const tokenRoles = ['pad', 'unk', 'bos', 'eos', 'mask', 'cls', 'sep'] as const;

/** What a special token is for. */
export type TokenRole = (typeof tokenRoles)[number];

/** The token of each role, where there is one. */
export type SpecialTokens = Partial<Record<TokenRole, string>>;

const usualNames: Record<TokenRole, readonly string[]> = {
  pad: ['<pad>', '[PAD]', '<|padding|>', '<|pad|>'],
  unk: ['<unk>', '[UNK]', '<|unk|>'],
  bos: ['<s>', '[BOS]', '<bos>', '<|startoftext|>'],
  eos: ['</s>', '[EOS]', '<eos>', '<|endoftext|>'],
  mask: ['<mask>', '[MASK]', '<|mask|>'],
  cls: ['[CLS]', '<cls>'],
  sep: ['[SEP]', '<sep>'],
};

/** The role of each token, by the usual names (`<pad>`, `[PAD]`, `</s>`, ...). */
export function rolesByName(tokens: Iterable<string>): SpecialTokens {
  const present = new Set(tokens);
  const roles: SpecialTokens = {};
  for (const role of tokenRoles) {
    const token = usualNames[role].find((name) => present.has(name));
    if (token !== undefined) roles[role] = token;
  }
  return roles;
}

/** The id of each role's token, where the vocabulary has it. */
export function specialIdsOf(
  roles: SpecialTokens,
  idOf: (token: string) => number | undefined,
): Partial<Record<TokenRole, number>> {
  const ids: Partial<Record<TokenRole, number>> = {};
  for (const role of tokenRoles) {
    const token = roles[role];
    const id = token === undefined ? undefined : idOf(token);
    if (id !== undefined) ids[role] = id;
  }
  return ids;
}
