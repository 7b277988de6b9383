// RUN: lamina-opt %s | lamina-opt | filecheck %s
// RUN: lamina-opt %s --print-op-generic | lamina-opt | filecheck %s

// CHECK-LABEL: func.func @nest_without_values_prints_no_yield()
// CHECK-NEXT:    loop.for %i < 4, %j < 3 {
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @nest_without_values_prints_no_yield() {
  loop.for %i < 4, %j < 3 {
    loop.yield
  }
  func.return
}

// CHECK-LABEL: func.func @parallel_is_a_keyword()
// CHECK-NEXT:    loop.for %i < 4, %j < 3 parallel {
func.func @parallel_is_a_keyword() {
  loop.for %i < 4, %j < 3 parallel {}
  func.return
}

// CHECK-LABEL: func.func @one_type_stands_for_all_carried_values(
// CHECK-NEXT:    %r, %s = loop.for %i < 4 iter(%a = %x, %b = %y) : f32 {
// CHECK-NEXT:      loop.yield %b, %a : f32, f32
func.func @one_type_stands_for_all_carried_values(%x: f32, %y: f32) -> f32 {
  %r, %s = loop.for %i < 4 iter(%a = %x, %b = %y) : f32 {
    loop.yield %b, %a : f32, f32
  }
  func.return %s : f32
}

// CHECK-LABEL: func.func @carried_values_may_differ_in_type(
// CHECK-NEXT:    %r, %s = loop.for %i < 4 iter(%a = %x, %b = %n) : f32, i32 {
func.func @carried_values_may_differ_in_type(%x: f32, %n: i32) -> i32 {
  %r, %s = loop.for %i < 4 iter(%a = %x, %b = %n) : f32, i32 {
    loop.yield %a, %b : f32, i32
  }
  func.return %s : i32
}

// CHECK-LABEL: func.func @attributes_are_kept()
// CHECK-NEXT:    loop.for %i < 4 parallel attributes {note = "kept"} {
func.func @attributes_are_kept() {
  loop.for %i < 4 parallel attributes {note = "kept"} {}
  func.return
}

// CHECK-LABEL: func.func @a_choice_between_steps(
// CHECK-NEXT:    loop.if %i < 2 {
// CHECK-NEXT:      func.call @a_choice_between_steps(%j, %j)
// CHECK-NEXT:    } else {
// CHECK-NEXT:      loop.if %j < 3 attributes {note = "kept"} {
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    func.return
func.func @a_choice_between_steps(%i: index, %j: index) {
  loop.if %i < 2 {
    func.call @a_choice_between_steps(%j, %j) : (index, index) -> ()
  } else {
    loop.if %j < 3 attributes {note = "kept"} {
      loop.yield
    } else {}
  }
  func.return
}
