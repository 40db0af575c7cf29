// A table whose rows keep their place, and the keyboard its focus, when figures change: NiceGUI's slot
// templates would be built anew with each change. Everything that comes from outside is shown as text.
export default {
  props: { label: String, columns: Array, rows: Array, choosable: Boolean },
  data: () => ({ chosen: [] }),
  watch: {
    rows(rows) {
      const there = new Set(rows.map((row) => row.key));
      const left = this.chosen.filter((key) => there.has(key));
      if (left.length < this.chosen.length) this.choose(left);
    },
  },
  methods: {
    choose(keys) {
      this.chosen = keys;
      this.$emit("choose", keys);
    },
    chooseAll(all) {
      this.choose(all ? this.rows.map((row) => row.key) : []);
    },
    chooseOne(key, chosen) {
      this.choose(this.chosen.filter((other) => other !== key).concat(chosen ? [key] : []));
    },
    cells(row) {
      return this.columns.map((column) => ({ column, cell: row.cells[column.name] }));
    },
  },
  template: `
    <div class="rows">
      <table :aria-label="label">
        <thead>
          <tr>
            <th v-if="choosable" scope="col" class="choose">
              <input type="checkbox" aria-label="Choose all shown" :checked="chosen.length === rows.length"
                     @change="chooseAll($event.target.checked)">
            </th>
            <th v-for="column in columns" :key="column.name" scope="col" :class="column.of"
                :aria-sort="column.order ? column.sorted : undefined">
              <button v-if="column.order" type="button" class="sort" @click="$emit('order', column.order)">
                {{ column.label }}<span class="arrow" aria-hidden="true">{{
                  { ascending: "↑", descending: "↓" }[column.sorted] }}</span>
              </button>
              <span v-else :class="{ unseen: column.unseen }">{{ column.label }}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <tr v-for="row in rows" :key="row.key" :class="row.of">
            <td v-if="choosable" class="choose">
              <input type="checkbox" :aria-label="'Choose: ' + row.named" :checked="chosen.includes(row.key)"
                     @change="chooseOne(row.key, $event.target.checked)">
            </td>
            <component v-for="{ column, cell } in cells(row)" :key="column.name"
                       :is="column.heads ? 'th' : 'td'" :scope="column.heads ? 'row' : undefined"
                       :class="[column.of, cell.of]" :title="cell.title">
              <a v-if="cell.href" :href="cell.href"><bdi>{{ cell.text }}</bdi></a>
              <button v-else-if="cell.press" type="button" class="plain" :aria-label="cell.press"
                      @click="$emit('press', row.key)">{{ cell.text }}</button>
              <svg v-else-if="cell.path" :viewBox="cell.box" preserveAspectRatio="none" role="img"
                   :aria-label="cell.text"><path :d="cell.path" vector-effect="non-scaling-stroke" /></svg>
              <span v-else class="text">{{ cell.text }}</span>
              <bdi v-if="cell.after" class="after">{{ cell.after }}</bdi>
              <span v-for="badge in cell.badges" :key="badge.text" class="badge" :title="badge.title">{{
                badge.text }}</span>
              <span v-if="cell.below" class="below" :class="cell.below_of">{{ cell.below }}</span>
            </component>
          </tr>
        </tbody>
      </table>
    </div>
  `,
};
