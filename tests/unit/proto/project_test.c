/* A project's key is its own: no two of tenant and project share one. */
#include "proto/project.h"

#include "check.h"

static void a_key_names_tenant_and_project(void)
{
    char key[PROJECT_KEY_MAX + 1];
    CHECK_INT(project_key("acme", "p.1_-Z", key), 0);
    CHECK_STR(key, "acme/p.1_-Z");
}

static void the_longest_names_fit_and_longer_ones_are_refused(void)
{
    char key[PROJECT_KEY_MAX + 1], name[IDENT_MAX + 2];
    memset(name, 'a', sizeof name);
    name[IDENT_MAX] = '\0';
    CHECK_INT(project_key(name, name, key), 0);
    CHECK_INT((long long)strlen(key), PROJECT_KEY_MAX);
    name[IDENT_MAX] = 'a';
    name[IDENT_MAX + 1] = '\0';
    CHECK_INT(project_key(name, name, key), -1);
}

int main(void)
{
    RUN(a_key_names_tenant_and_project);
    RUN(the_longest_names_fit_and_longer_ones_are_refused);
    return 0;
}
