import { App, Input, type InputRef, Modal, Radio } from 'antd';
import { useRef, useState } from 'react';

import type { Assignee, WorklistLine } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { formatClock } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { useAssign } from './actions';
import { useReaders } from './queries';

const NOBODY = 'nobody';

interface AssignDialogProps {
  items: readonly WorklistLine[];
  onClose: () => void;
}

/** Gives readings to somebody: those on duty first, the least busy before the others. */
export function AssignDialog({ items, onClose }: AssignDialogProps) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const readers = useReaders();
  const [chosen, setChosen] = useState<string | null>(null);
  const [text, setText] = useState('');
  const input = useRef<InputRef>(null);
  const assign = useAssign((answered) => {
    if (answered.refused.length === 0) void message.success(t('assign.done', { n: answered.assigned }));
    else {
      const why = [...new Set(answered.refused.map((one) => one.code))].map((code) => reasonOf(t, code));
      void message.warning(
        t('assign.partly', { n: answered.assigned, refused: answered.refused.length, why: why.join(' ') }),
        8,
      );
    }
    onClose();
  });
  const found = (readers.data ?? []).filter((one) => signs(one) && one.display_name.includes(text.trim()));
  const wanted = chosen ?? found[0]?.id ?? null;
  const give = (): void => {
    if (wanted === null || assign.isPending) return;
    assign.mutate({ ids: items.map((item) => item.id), personId: wanted === NOBODY ? null : wanted });
  };
  return (
    <Modal
      open
      width={580}
      title={t('assign.title', { n: items.length })}
      okText={t('assign.confirm')}
      cancelText={t('app.cancel')}
      okButtonProps={{ disabled: wanted === null }}
      confirmLoading={assign.isPending}
      onOk={give}
      // The dialog takes the focus itself as it opens.
      afterOpenChange={() => input.current?.focus()}
      onCancel={onClose}
    >
      <Input
        ref={input}
        aria-label={t('assign.find')}
        placeholder={t('assign.find')}
        maxLength={60}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setChosen(null);
        }}
        onPressEnter={give}
      />
      {readers.isError && <ProblemNotice error={readers.error} onRetry={() => void readers.refetch()} />}
      <Radio.Group
        className="assign-people"
        aria-label={t('assign.to')}
        aria-busy={readers.isPending}
        value={wanted}
        onChange={(event) => setChosen(String(event.target.value))}
      >
        {found.map((one) => (
          <Radio key={one.id} value={one.id}>
            <Person reader={one} />
          </Radio>
        ))}
        {readers.isSuccess && found.length === 0 && <p className="quiet">{t('assign.nobody')}</p>}
        <Radio value={NOBODY}>{t('assign.takeBack')}</Radio>
      </Radio.Group>
    </Modal>
  );
}

function Person({ reader }: { reader: Assignee }) {
  const { t, language } = useLanguage();
  return (
    <span className="assign-person">
      <span className="strong">{reader.display_name}</span>
      <span className="quiet">{t(reviews(reader) ? 'role.reviewer' : 'role.writer')}</span>
      <span className={reader.duties.length > 0 ? 'assign-duty' : 'quiet'}>
        {reader.duties.length === 0
          ? t('assign.offDuty')
          : reader.duties
              .map((duty) =>
                t('assign.onDuty', {
                  what: duty.group === null ? t(`lane.${duty.lane}`) : siteName(language, duty.group),
                  time: formatClock(duty.ends_at).slice(0, 5),
                }),
              )
              .join(t('app.listSeparator'))}
      </span>
      <span className="assign-load">{t('assign.load', { n: reader.load })}</span>
    </span>
  );
}

function reviews(reader: Assignee): boolean {
  return reader.roles.includes('reviewer');
}

/** Experts give opinions; work is given to who writes or reviews. */
function signs(reader: Assignee): boolean {
  return reviews(reader) || reader.roles.includes('writer');
}

function reasonOf(t: ReturnType<typeof useLanguage>['t'], code: string): string {
  if (code === 'wrong-state') return t('assign.refused.state');
  if (code === 'self-review') return t('assign.refused.own');
  return t('assign.refused.other');
}
