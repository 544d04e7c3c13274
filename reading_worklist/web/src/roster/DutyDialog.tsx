import { App, Input, Radio, type RefSelectProps, Select } from 'antd';
import { useRef, useState } from 'react';

import type { Lane } from '../api/types';
import { Field } from '../design/Field';
import { FormDialog } from '../design/FormDialog';
import { useLanguage } from '../i18n/language';
import { useReaders } from '../worklist/queries';
import { daysLater } from '../rules/days';
import type { Reader } from '../rules/queries';
import { useRosterAct } from './queries';
import { instantOf } from './week';

const SHIFTS = {
  day: ['08:00', '17:30'],
  evening: ['17:30', '22:00'],
  night: ['22:00', '08:00'],
  all: ['08:00', '08:00'],
} as const;
type Shift = keyof typeof SHIFTS | 'own';
const SHIFT_NAMES = ['day', 'evening', 'night', 'all', 'own'] as const satisfies readonly Shift[];

interface DutyDialogProps {
  title: string;
  lane: Lane;
  group: string | null;
  /** Who belongs to the group; they come first. */
  members: ReadonlySet<string>;
  day: string;
  zone: string;
  onClose: () => void;
}

/** Puts somebody on duty for a lane or a group on one day. */
export function DutyDialog({ title, lane, group, members, day, zone, onClose }: DutyDialogProps) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const readers = useReaders();
  const { mutateAsync } = useRosterAct();
  const first = useRef<RefSelectProps>(null);
  const [person, setPerson] = useState<string | null>(null);
  const [shift, setShift] = useState<Shift>('day');
  const [own, setOwn] = useState<readonly [string, string]>(SHIFTS.day);
  const [tried, setTried] = useState(false);
  const [from, to] = shift === 'own' ? own : SHIFTS[shift];
  const overnight = to <= from;
  const save = async (): Promise<void> => {
    if (person === null) return;
    await mutateAsync({
      kind: 'add',
      body: {
        person_id: person,
        lane,
        group,
        starts_at: instantOf(day, from, zone),
        ends_at: instantOf(overnight ? daysLater(day, 1) : day, to, zone),
      },
    });
    void message.success(t('roster.added'));
  };
  return (
    <FormDialog
      width={480}
      title={title}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return person !== null;
      }}
      onSave={save}
      onClose={onClose}
      onOpened={() => first.current?.focus()}
    >
      <Field label={t('roster.person')} wide error={tried && person === null ? t('roster.personMissing') : null}>
        {(id) => (
          <Select
            id={id}
            ref={first}
            showSearch={{ optionFilterProp: 'label' }}
            loading={readers.isPending}
            value={person}
            options={membersFirst(readers.data ?? [], members)}
            onChange={setPerson}
          />
        )}
      </Field>
      <div className="field field-wide">
        <span className="field-label">{t('roster.shift')}</span>
        <Radio.Group
          className="duty-shifts"
          value={shift}
          options={SHIFT_NAMES.map((value) => ({ value, label: t(`roster.shift.${value}`) }))}
          onChange={(event) => setShift(event.target.value as Shift)}
        />
      </div>
      {shift === 'own' && (
        <span className="rule-window field-wide">
          <Input
            type="time"
            aria-label={t('roster.from')}
            value={own[0]}
            onChange={(event) => event.target.value !== '' && setOwn([event.target.value, own[1]])}
          />
          {t('rules.form.dash')}
          <Input
            type="time"
            aria-label={t('roster.to')}
            value={own[1]}
            onChange={(event) => event.target.value !== '' && setOwn([own[0], event.target.value])}
          />
          {overnight && <span className="quiet">{t('roster.nextDay')}</span>}
        </span>
      )}
    </FormDialog>
  );
}

function membersFirst(readers: readonly Reader[], members: ReadonlySet<string>) {
  return readers
    .toSorted((one, other) => Number(members.has(other.id)) - Number(members.has(one.id)))
    .map((reader) => ({ value: reader.id, label: reader.display_name }));
}
