/** One text in both languages; a missing one is a type error. `{name}` stands for a parameter. */
export type Entry = readonly [chinese: string, english: string];
