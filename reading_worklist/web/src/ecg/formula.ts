import { useState } from 'react';

export const FORMULAS = ['bazett', 'fridericia', 'framingham', 'hodges'] as const;
export type Formula = (typeof FORMULAS)[number];

const KEY = 'rdc.qtc-formula';

/** The formula by which a reader wants QT corrected for the rate; this browser keeps it. */
export function useFormula(): [Formula, (formula: Formula) => void] {
  const [formula, setFormula] = useState<Formula>(
    () => FORMULAS.find((each) => each === localStorage.getItem(KEY)) ?? 'bazett',
  );
  return [
    formula,
    (chosen) => {
      localStorage.setItem(KEY, chosen);
      setFormula(chosen);
    },
  ];
}
