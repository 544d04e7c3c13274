import { PlusOutlined } from '@ant-design/icons';
import { Button, Checkbox, Skeleton } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router';

import type { Template, TemplateBody } from '../api/types';
import { Chip } from '../design/Chip';
import { Empty, ProblemNotice } from '../design/Notice';
import { useLanguage } from '../i18n/language';
import { useSession } from '../session/session';
import { useTemplates } from './queries';
import { TemplateEditor } from './TemplateEditor';

const NEW = 'new';
const BLANK: TemplateBody = {
  title: '',
  language: 'zh-CN',
  modalities: [],
  regions: [],
  sex: '',
  fields: [],
  findings: '',
  impression: '',
  advice: '',
  required_codes: [],
};

/** The list of templates and the one that is looked at. */
export function TemplatesTab() {
  const { t } = useLanguage();
  const { data: session } = useSession();
  const templates = useTemplates();
  const [parameters, setParameters] = useSearchParams();
  const [retired, setRetired] = useState(false);
  const [made, setMade] = useState<TemplateBody>(BLANK);
  const mayEdit = session?.roles.some((role) => role === 'reviewer' || role === 'consortium_admin') ?? false;
  const chosenId = parameters.get('template');
  const open = (id: string): void => setParameters({ template: id }, { replace: true });
  const begin = (body: TemplateBody): void => {
    setMade(body);
    open(NEW);
  };

  if (templates.isError) {
    return (
      <div className="page-empty">
        <ProblemNotice error={templates.error} onRetry={() => void templates.refetch()} />
      </div>
    );
  }
  const shown = (templates.data ?? []).filter((each) => retired || !each.retired);
  const chosen = templates.data?.find((each) => each.id === chosenId);
  return (
    <div className="templates">
      <nav className="templates-list" aria-label={t('templates.title')}>
        <div className="templates-list-head">
          {mayEdit && (
            <Button icon={<PlusOutlined />} onClick={() => begin(BLANK)}>
              {t('templates.new')}
            </Button>
          )}
          <Checkbox checked={retired} onChange={(event) => setRetired(event.target.checked)}>
            {t('templates.showRetired')}
          </Checkbox>
        </div>
        {templates.data === undefined && <Skeleton active title={false} paragraph={{ rows: 8 }} />}
        {templates.data?.length === 0 && <Empty title={t('templates.empty')} text={t('templates.empty.text')} />}
        <ul>
          {shown.map((each) => (
            <li key={each.id}>
              <button
                type="button"
                aria-current={each.id === chosenId ? 'true' : undefined}
                onClick={() => open(each.id)}
              >
                <span>{each.body.title}</span>
                <span className="quiet small">
                  {[...each.body.modalities, ...(each.body.language === 'en' ? [t('language.en')] : [])].join(' ')}
                </span>
                {each.retired && <Chip tone="slate">{t('templates.retired')}</Chip>}
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <Detail
        template={chosen}
        made={chosenId === NEW ? made : null}
        mayEdit={mayEdit}
        onMade={(template) => open(template.id)}
        onCopy={(body) => begin({ ...body, title: t('templates.copyOf', { title: body.title }) })}
      />
    </div>
  );
}

function Detail({
  template,
  made,
  mayEdit,
  onMade,
  onCopy,
}: {
  template: Template | undefined;
  made: TemplateBody | null;
  mayEdit: boolean;
  onMade: (template: Template) => void;
  onCopy: (body: TemplateBody) => void;
}) {
  const { t } = useLanguage();
  if (made !== null && mayEdit)
    return <TemplateEditor key="new" body={made} mayEdit onSaved={onMade} onCopy={onCopy} />;
  if (template === undefined) {
    return (
      <div className="templates-none">
        <Empty title={t('templates.pick')} />
      </div>
    );
  }
  return (
    <TemplateEditor
      key={`${template.id} ${template.version}`}
      template={template}
      body={template.body}
      mayEdit={mayEdit}
      onSaved={onMade}
      onCopy={onCopy}
    />
  );
}
