import { Input, Select } from 'antd';
import { useId } from 'react';

import type { CriticalContact } from '../api/types';
import { useLanguage } from '../i18n/language';

export interface Person {
  name: string;
  role: string;
}

/** Who is on the telephone: somebody of the site's list, or anybody by name and role. */
export function PersonOnPhone({
  contacts,
  step,
  who,
  onWho,
}: {
  contacts: readonly CriticalContact[];
  /** The step that is told now: its people come first. */
  step: number;
  who: Person;
  onWho: (who: Person) => void;
}) {
  const { t } = useLanguage();
  const nameId = useId();
  const roleId = useId();
  const listed = nearestFirst(contacts, step);
  return (
    <div className="phone-person">
      {listed.length > 0 && (
        <Select
          aria-label={t('phone.fromList')}
          placeholder={t('phone.fromList')}
          value={null}
          options={listed.map((one, index) => ({ value: index, label: `${one.name} · ${one.role} · ${one.phone}` }))}
          onChange={(index: number | null) => {
            const chosen = index === null ? undefined : listed[index];
            if (chosen !== undefined) onWho({ name: chosen.name, role: chosen.role });
          }}
        />
      )}
      <label htmlFor={nameId}>{t('phone.answerer')}</label>
      <Input
        id={nameId}
        maxLength={200}
        value={who.name}
        onChange={(event) => onWho({ ...who, name: event.target.value })}
      />
      <label htmlFor={roleId}>{t('phone.answererRole')}</label>
      <Input
        id={roleId}
        maxLength={200}
        value={who.role}
        onChange={(event) => onWho({ ...who, role: event.target.value })}
      />
    </div>
  );
}

/** Those of the present step, then those told before, then those not told yet. */
export function nearestFirst(contacts: readonly CriticalContact[], step: number): CriticalContact[] {
  return [...contacts].sort(
    (a, b) => Number(a.step > step) - Number(b.step > step) || Math.abs(a.step - step) - Math.abs(b.step - step),
  );
}
