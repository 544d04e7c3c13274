import { App, Button, Popconfirm } from 'antd';
import { useId, useRef, useState } from 'react';
import { useBlocker } from 'react-router';

import type { WorkitemDetail } from '../api/types';
import { ProblemNotice } from '../design/Notice';
import { useShortcuts } from '../design/shortcuts';
import { formatShortTime } from '../i18n/format';
import { serverNow } from '../api/serverClock';
import { useLanguage } from '../i18n/language';
import { ConflictDialog } from './ConflictDialog';
import { DraftStatusLine } from './DraftStatusLine';
import type { Act } from './act';
import { type Field, FIELDS, useFieldName } from './ReportTextView';
import { SignDialog } from './SignDialog';
import { EarlierSubmissions, ReturnedNotice } from './Submissions';
import { useDraft } from './useDraft';

const LONGEST_TEXT = 20_000;

/** Writing: three texts that save themselves, and the writer's signature. */
export function DraftEditor({ item, busy, act }: { item: WorkitemDetail; busy: boolean; act: Act }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { saver, snapshot } = useDraft(item.id, item.draft);
  const [signing, setSigning] = useState(false);
  const nameOf = useFieldName(item.lane);
  const fields = useRef(new Map<Field, HTMLTextAreaElement>());
  const idPrefix = useId();
  const { text, status, dirty } = snapshot;

  useBlocker(() => dirty && (status.kind === 'failed' || status.kind === 'conflict') && !confirm(t('draft.leave')));

  // An ECG may stand by its impression alone.
  const required: readonly Field[] = item.lane === 'ecg' ? ['impression'] : ['findings', 'impression'];
  const startSigning = async (): Promise<void> => {
    const missing = required.find((field) => saver.snapshot().text[field].trim() === '');
    if (missing !== undefined) {
      void message.warning(t('action.missing', { field: nameOf(missing) }));
      fields.current.get(missing)?.focus();
      return;
    }
    if (await saver.flush()) setSigning(true);
  };
  useShortcuts({
    'ctrl+s': () => void saver.flush(),
    'ctrl+Enter': () => void startSigning(),
    'alt+1': () => fields.current.get('findings')?.focus(),
    'alt+2': () => fields.current.get('impression')?.focus(),
    'alt+3': () => fields.current.get('advice')?.focus(),
  });

  return (
    <>
      <div className="report-scroll report-editor">
        <ReturnedNotice submission={item.submissions.at(-1)} />
        {status.kind === 'refused' && (
          <ProblemNotice heading={t('draft.refused')} error={status.problem} onRetry={() => void saver.flush()} />
        )}
        {FIELDS.map((field) => (
          <div key={field} className={`field field-${field}`}>
            <label htmlFor={idPrefix + field}>
              {nameOf(field)}
              {!required.includes(field) && <span className="field-optional">{t('report.optional')}</span>}
            </label>
            <textarea
              id={idPrefix + field}
              ref={(element) => {
                if (element === null) fields.current.delete(field);
                else fields.current.set(field, element);
              }}
              value={text[field]}
              maxLength={LONGEST_TEXT}
              spellCheck={false}
              required={required.includes(field)}
              onChange={(event) => saver.change({ [field]: event.target.value })}
            />
          </div>
        ))}
        <EarlierSubmissions item={item} />
      </div>
      <DraftStatusLine
        status={status}
        note={
          item.lease_until === null ? null : t('draft.lease', { time: formatShortTime(item.lease_until, serverNow()) })
        }
      />
      <div className="report-actions">
        <Popconfirm
          title={t('action.release')}
          description={t('action.release.confirm')}
          okText={t('action.release')}
          cancelText={t('app.cancel')}
          onConfirm={() => void saver.flush().then(() => act({ act: 'release' }))}
        >
          <Button size="large">{t('action.release')}</Button>
        </Popconfirm>
        <Button
          type="primary"
          size="large"
          className="report-main-action"
          loading={busy}
          onClick={() => void startSigning()}
        >
          {t('action.submit')}
        </Button>
      </div>
      {signing && (
        <SignDialog
          kind="submit"
          item={item}
          onSign={async (pin, language) => {
            await act({ act: 'submit', revision: saver.revision, pin, language });
          }}
          onClose={() => setSigning(false)}
        />
      )}
      {status.kind === 'conflict' && <ConflictDialog item={item} saver={saver} mine={text} />}
    </>
  );
}
