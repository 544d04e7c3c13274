"""The portal: a site's own exams and reports, for the people of the site."""
