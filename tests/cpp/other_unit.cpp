/* A second unit of the program: the header may be included in any number of them. */

#include "hstreamdb.hpp"

hstreamdb::error made_elsewhere();

hstreamdb::error made_elsewhere()
{
    return hstreamdb::error(HSTREAM_ERR_TIMEOUT, "made in another unit");
}
