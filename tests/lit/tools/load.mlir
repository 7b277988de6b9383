// RUN: lamina-opt %s --load %S/inputs/rename.py -p 'rename{to=mine}' | filecheck %s
// RUN: not lamina-opt %s --load %S/inputs/rename.py --load %S/inputs/rename.py 2>&1 | filecheck %s --check-prefix TWICE

// TWICE: lamina-opt: {{.*}}rename.py defines pass 'rename', which exists: give it another name

// CHECK: func.func @mine()
func.func @a_pass_of_a_file_outside_the_tree_runs() {
  func.return
}
