const NAME_GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;

/** An attribute's value as people read it: a name in its groups (PS3.18 §F.2.2) joined as DICOM writes them. */
export function attributeWords(value: string | null): string | null {
  if (value?.startsWith('{') !== true) return value;
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return value;
  }
  if (typeof parsed !== 'object' || parsed === null) return value;
  const groups = NAME_GROUPS.map((group) => (parsed as Record<string, unknown>)[group]);
  const given = groups.filter((group) => typeof group === 'string');
  return given.length === 0 ? value : given.join('=');
}
