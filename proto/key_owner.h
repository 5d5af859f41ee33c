/* What an object's key says of whose the object is: the keys that mediafleet makes, and those of the systems before it.
 *
 *   projects/{project}/scenes/{scene}/{job, a ULID}/…    ours
 *   projects/proj_{project}/scenes/{scene}/…             older
 *   {type}/proj_{project}/{scene}/…                      older: audio/, media/ …
 *   proj_proj_{project}_{scene}_{name}                   older, the scene has no '_'
 *
 * In the older forms "proj_" belongs to the form, however often it stands there. */
#ifndef PROTO_KEY_OWNER_H
#define PROTO_KEY_OWNER_H

#include "proto/file_path.h"

struct key_owner {
    char project[IDENT_MAX + 1], scene[IDENT_MAX + 1], job[27]; /* "" where the key does not say */
    enum file_type type; /* by the form and the extension; what nothing is known of is a source */
};
void key_owner_read(const char *key, struct key_owner *out);

#endif
