import { PlusOutlined } from '@ant-design/icons';
import { App, Button, Checkbox, Input, Modal, Popconfirm } from 'antd';
import { useId, useState } from 'react';

import { asProblem } from '../api/problem';
import type { Snippet } from '../api/types';
import { Chip } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { type Column, Table } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { wordsOf } from '../i18n/problemWords';
import { useSnippets } from '../reading/writing';
import { useSession } from '../session/session';
import { useSnippetAct } from './queries';

const SHORTCUT = /^[A-Za-z0-9\u3400-\u9fff_-]{1,30}$/u;
const LONGEST_SNIPPET = 4_000;

/** The texts behind shortcuts: one's own, and those of everybody. */
export function SnippetsTab() {
  const { t, language } = useLanguage();
  const { message } = App.useApp();
  const { data: session } = useSession();
  const snippets = useSnippets();
  const { mutateAsync } = useSnippetAct();
  const [editing, setEditing] = useState<Snippet | 'new' | null>(null);
  const roles = session?.roles ?? [];
  const mayShare = roles.includes('reviewer') || roles.includes('consortium_admin');
  const mayMake = mayShare || roles.includes('writer');
  const drop = async (snippet: Snippet): Promise<void> => {
    try {
      await mutateAsync({ act: 'drop', id: snippet.id });
    } catch (error) {
      void message.error(wordsOf(language, asProblem(error)).title);
    }
  };
  const columns: Column<Snippet>[] = [
    { key: 'shortcut', heading: t('snippets.shortcut'), width: 150, cell: (one) => <kbd>;{one.shortcut}</kbd> },
    { key: 'text', heading: t('snippets.text'), cell: (one) => <span className="snippet-text">{one.text}</span> },
    {
      key: 'whose',
      heading: t('snippets.whose'),
      width: 130,
      cell: (one) => (
        <Chip tone={one.mine ? 'blue' : 'slate'}>{t(one.mine ? 'snippets.mine' : 'snippets.shared')}</Chip>
      ),
    },
    {
      key: 'acts',
      heading: '',
      width: 170,
      cell: (one) =>
        (one.mine || mayShare) && (
          <span className="snippet-acts">
            <Button size="small" onClick={() => setEditing(one)}>
              {t('snippets.edit')}
            </Button>
            <Popconfirm
              title={t('snippets.drop.confirm')}
              okText={t('snippets.drop')}
              cancelText={t('app.cancel')}
              onConfirm={() => void drop(one)}
            >
              <Button size="small">{t('snippets.drop')}</Button>
            </Popconfirm>
          </span>
        ),
    },
  ];
  return (
    <>
      <div className="page-intro templates-note">
        <span>{t('snippets.explain')}</span>
        {mayMake && (
          <Button icon={<PlusOutlined />} onClick={() => setEditing('new')}>
            {t('snippets.new')}
          </Button>
        )}
      </div>
      {snippets.isError && <ProblemNotice error={snippets.error} onRetry={() => void snippets.refetch()} />}
      {snippets.data?.length === 0 ? (
        <div className="page-empty">
          <Empty title={t('snippets.empty')} />
        </div>
      ) : (
        <Table
          label={t('templates.tab.snippets')}
          columns={columns}
          rows={snippets.data ?? (snippets.isError ? [] : null)}
          rowKey={(one) => one.id}
        />
      )}
      {editing !== null && (
        <SnippetDialog
          snippet={editing === 'new' ? null : editing}
          mayShare={mayShare}
          onClose={() => setEditing(null)}
        />
      )}
    </>
  );
}

function SnippetDialog({
  snippet,
  mayShare,
  onClose,
}: {
  snippet: Snippet | null;
  mayShare: boolean;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const { mutateAsync, isPending } = useSnippetAct();
  const [shortcut, setShortcut] = useState(snippet?.shortcut ?? '');
  const [text, setText] = useState(snippet?.text ?? '');
  const [shared, setShared] = useState(snippet !== null && !snippet.mine);
  const [refusal, setRefusal] = useState<unknown>(null);
  const id = useId();
  const wrong = shortcut !== '' && !SHORTCUT.test(shortcut);
  const ready = SHORTCUT.test(shortcut) && text.trim() !== '';
  const save = async (): Promise<void> => {
    if (!ready || isPending) return;
    setRefusal(null);
    try {
      await mutateAsync({ act: 'save', id: snippet?.id ?? null, shortcut, text, shared });
      onClose();
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <Modal
      open
      width={560}
      title={t(snippet === null ? 'snippets.new' : 'snippets.edit')}
      okText={t('app.save')}
      okButtonProps={{ disabled: !ready }}
      cancelText={t('app.cancel')}
      confirmLoading={isPending}
      mask={{ closable: false }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <label htmlFor={`${id}shortcut`} className="reason-label">
        {t('snippets.shortcut')}
      </label>
      <Input
        id={`${id}shortcut`}
        prefix=";"
        autoFocus
        maxLength={30}
        status={wrong ? 'error' : ''}
        value={shortcut}
        onChange={(event) => setShortcut(event.target.value.trim())}
      />
      <div className="reason-message" role="alert">
        {wrong && t('snippets.pattern')}
      </div>
      <label htmlFor={`${id}text`} className="reason-label">
        {t('snippets.text')}
      </label>
      <Input.TextArea
        id={`${id}text`}
        rows={5}
        maxLength={LONGEST_SNIPPET}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {mayShare && (
        <Checkbox className="snippet-shared" checked={shared} onChange={(event) => setShared(event.target.checked)}>
          {t('snippets.sharedSwitch')}
        </Checkbox>
      )}
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
