import { App, Input, Modal, Radio, type RefSelectProps, Select } from 'antd';
import { useRef, useState } from 'react';

import type { Lane } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useReaders } from '../worklist/queries';
import { daysLater } from '../rules/days';
import type { Reader } from '../rules/queries';
import { Field } from '../design/Field';
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
  const { mutateAsync, isPending } = useRosterAct();
  const first = useRef<RefSelectProps>(null);
  const [person, setPerson] = useState<string | null>(null);
  const [shift, setShift] = useState<Shift>('day');
  const [own, setOwn] = useState<readonly [string, string]>(SHIFTS.day);
  const [tried, setTried] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const [from, to] = shift === 'own' ? own : SHIFTS[shift];
  const overnight = to <= from;
  const save = async (): Promise<void> => {
    setTried(true);
    if (person === null || isPending) return;
    setRefusal(null);
    try {
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
      onClose();
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <Modal
      open
      width={480}
      title={title}
      okText={t('app.save')}
      cancelText={t('app.cancel')}
      confirmLoading={isPending}
      mask={{ closable: false }}
      afterOpenChange={(open) => open && first.current?.focus()}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <div
        className="duty-form"
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void save();
        }}
      >
        <Field label={t('roster.person')} error={tried && person === null ? t('roster.personMissing') : null}>
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
        <div className="field">
          <span className="field-label">{t('roster.shift')}</span>
          <Radio.Group
            className="duty-shifts"
            value={shift}
            options={SHIFT_NAMES.map((value) => ({ value, label: t(`roster.shift.${value}`) }))}
            onChange={(event) => setShift(event.target.value as Shift)}
          />
        </div>
        {shift === 'own' && (
          <span className="rule-window">
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
      </div>
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}

function membersFirst(readers: readonly Reader[], members: ReadonlySet<string>) {
  return readers
    .toSorted((one, other) => Number(members.has(other.id)) - Number(members.has(one.id)))
    .map((reader) => ({ value: reader.id, label: reader.display_name }));
}
